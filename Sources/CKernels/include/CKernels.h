#pragma once
// Vectorised element-wise kernels. Matrices are row-major with a row stride in elements; every
// function accepts zero rows. "+=" in a comment means that the kernel adds to what is there.
#include "random.h"
#include "elementwise.h"
#include "densities.h"
#include "glimpse.h"
#include "product.h"
#include "patches.h"
#include "update.h"
#include "level.h"
