#include "ceventprotobuf.h"
