"""Independent JAX implementation of SQAIR with dense layers (Kosiorek et al., 2018), the source of the reference numbers.

Everything is a pure function of (params, images, noise, cfg):

  * ``params``  flat dict  {dotted.name: array}
  * ``images``  [T, B, H, W] in [0, 1]
  * ``noise``   flat dict, see ``noise_shapes``; all stochasticity of inference lives here
  * ``cfg``     ``Config`` (frozen dataclass, hashable -> usable as a jit static argument)

dtype follows the inputs: pass float64 arrays (with jax_enable_x64) for golden values,
float32 arrays for timing/training.

Section numbers in comments are those of the pages in Sources/Models/Models.docc.
"""
from __future__ import annotations

import dataclasses
import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

LOG2PI = math.log(2.0 * math.pi)
ABSENT_LOGIT = 88.0
MIN_STD = 1e-2


# ----------------------------------------------------------------------------- config
@dataclasses.dataclass(frozen=True)
class Config:
    img: tuple = (50, 50)            # H, W
    glimpse: tuple = (20, 20)        # Gh, Gw
    n_units: int = 8                 # hidden = 32 * n_units
    n_what: int = 50
    n_steps: int = 3                 # K, object slots
    k_particles: int = 5
    transform_var_bias: float = -3.0  # initial value of the two trainable where scale offsets
    output_scale: float = 0.25        # initial value of the trainable decoder gain
    output_std: float = 0.3
    scale_prior: float = -2.0         # initial mean bias of the two scale logits in the where prior
    disc_step_bias: float = 1.0
    prop_step_bias: float = 5.0
    prop_prior_step_bias: float = 10.0
    where_update_scale: float = 1.0
    step_time_bias: float = 10.0      # initial extra logit of "0 discoveries" for t > 0
    prior_hidden: int = 128           # width of the where-prior conditioning layer
    mask_hidden: int = 128
    where_bias_hidden: int = 128
    vimco: str = "ref"                # 'ref' | 'proper'   (section 8.3)
    mask_discovery: bool = False      # False == reference (note O1)

    @property
    def n_hidden(self):
        return 32 * self.n_units

    @property
    def n_pix(self):
        return self.img[0] * self.img[1]

    @property
    def n_gpix(self):
        return self.glimpse[0] * self.glimpse[1]


REFERENCE = Config()


# ----------------------------------------------------------------------------- parameters
def _dense(sh, name, n_in, n_out, bias=0.0):
    sh[name + ".w"] = ((n_in, n_out), ("trunc", 1.0 / math.sqrt(n_in)))
    sh[name + ".b"] = ((n_out,), ("const", bias))


def _gru(sh, name, n_in, n):
    for g in "zrh":
        sh[f"{name}.w{g}"] = ((n_in, n), ("glorot",))
        sh[f"{name}.u{g}"] = ((n, n), ("glorot",))
        sh[f"{name}.b{g}"] = ((n,), ("glorot",))   # yes: TF default initialiser, not zero
    sh[f"{name}.h0"] = ((n,), ("const", 0.0))


def _rnn(sh, name, n_in, n):
    _dense(sh, name + ".ih", n_in, n)
    _dense(sh, name + ".hh", n, n)
    sh[name + ".h0"] = ((n,), ("const", 0.0))


def param_spec(cfg: Config):
    """Ordered {name: (shape, init)}."""
    n, nw, K = cfg.n_hidden, cfg.n_what, cfg.n_steps
    sh = {}
    # shared encoders
    _dense(sh, "enc.img.l0", cfg.n_pix, n)
    _dense(sh, "enc.img.l1", n, n)
    _dense(sh, "enc.glimpse.l0", cfg.n_gpix, n)
    _dense(sh, "enc.glimpse.l1", n, n)
    _dense(sh, "enc.glimpse.out", n, 2 * nw)
    _dense(sh, "enc.mask.l0", n, cfg.mask_hidden)
    _dense(sh, "enc.mask.out", cfg.mask_hidden, cfg.n_gpix, 1.0)
    _dense(sh, "enc.latent.l0", nw + 4, n)
    _dense(sh, "enc.latent.l1", n, n)
    # discovery
    _rnn(sh, "disc.rnn", n + n + nw + 4 + 1, n)
    _dense(sh, "disc.where.l0", n, n)
    _dense(sh, "disc.where.l1", n, n)
    _dense(sh, "disc.where.out", n, 8)
    sh["disc.where.scale_offset"] = ((), ("const", cfg.transform_var_bias))
    _dense(sh, "disc.pres.l0", n + nw, n // 2)
    _dense(sh, "disc.pres.out", n // 2, 1, cfg.disc_step_bias)
    # discovery prior
    sh["disc.prior.step_bias"] = ((K + 1,), ("const", 0.0))
    sh["disc.prior.step_time_bias"] = ((K + 1,), ("array", [cfg.step_time_bias] + [0.0] * K))
    _dense(sh, "disc.prior.step.l0", 1, 10)
    _dense(sh, "disc.prior.step.out", 10, K + 1)
    sh["disc.prior.where.s0"] = ((4,), ("glorot2", 1, 4))      # stored as [1,4] in TF
    sh["disc.prior.where.h0"] = ((4,), ("const", 0.0))
    _dense(sh, "disc.prior.where.cond", 4 + n + 1, cfg.prior_hidden)
    _dense(sh, "disc.prior.where.ih", 4, 4)
    _dense(sh, "disc.prior.where.hh", cfg.prior_hidden, 4)
    _dense(sh, "disc.prior.where.out", 4, 8)
    sh["disc.prior.where.out.b"] = ((8,), ("array", [cfg.scale_prior] * 2 + [0.0] * 2 + [1.0] * 4))
    # propagation
    _dense(sh, "prop.where_bias.l0", n, cfg.where_bias_hidden)
    _dense(sh, "prop.where_bias.out", cfg.where_bias_hidden, 4)
    _rnn(sh, "prop.rnn", nw + (nw + 4 + 1) + (nw + 4 + 1) + n, n)
    _dense(sh, "prop.where.l0", n + 4 + n, n)
    _dense(sh, "prop.where.l1", n, n)
    _dense(sh, "prop.where.out", n, 8)
    sh["prop.where.scale_offset"] = ((), ("const", cfg.transform_var_bias))
    sh["prop.where.chol"] = ((10,), ("glorot",))
    _gru(sh, "prop.temporal", n + 4 + 2 * nw, n)
    _dense(sh, "prop.what", n, 2 * nw)
    _dense(sh, "prop.gates", n, 3 * nw, 1.0)
    _dense(sh, "prop.pres.l0", n + n + nw, n // 2)
    _dense(sh, "prop.pres.out", n // 2, 1, cfg.prop_step_bias)
    # propagation prior
    _gru(sh, "prop.prior.gru", nw + 4, n)
    _dense(sh, "prop.prior.out", n, 1 + 2 * (4 + nw))
    # decoder
    _dense(sh, "dec.l0", nw, n)
    _dense(sh, "dec.l1", n, n)
    _dense(sh, "dec.out", n, cfg.n_gpix)
    sh["dec.output_scale"] = ((), ("const", cfg.output_scale))
    sh["dec.mean_img"] = (tuple(cfg.img), ("const", 0.0))      # overwrite with the dataset mean
    return sh


def init_params(seed, cfg: Config, mean_img=None, dtype=np.float32):
    """NumPy-seeded initialisation (same initialiser *distributions* as the reference)."""
    rng = np.random.default_rng(seed)
    out = {}
    for name, (shape, init) in param_spec(cfg).items():
        kind = init[0]
        if kind == "const":
            v = np.full(shape, init[1])
        elif kind == "array":
            v = np.asarray(init[1], dtype=np.float64).reshape(shape)
        elif kind == "trunc":                      # N(0, s^2) redrawn outside +-2s
            v = rng.standard_normal(shape)
            bad = np.abs(v) > 2.0
            while bad.any():
                v[bad] = rng.standard_normal(int(bad.sum()))
                bad = np.abs(v) > 2.0
            v = v * init[1]
        elif kind in ("glorot", "glorot2"):
            if kind == "glorot2":
                fi, fo = init[1:]
            elif len(shape) == 1:
                fi = fo = shape[0]
            else:
                fi, fo = shape
            lim = math.sqrt(6.0 / (fi + fo))
            v = rng.uniform(-lim, lim, shape)
        else:
            raise ValueError(kind)
        out[name] = jnp.asarray(np.asarray(v, dtype=dtype))
    if mean_img is not None:
        out["dec.mean_img"] = jnp.asarray(np.asarray(mean_img, dtype=dtype))
    return out


def n_params(cfg):
    return sum(int(np.prod(s)) if s else 1 for s, _ in param_spec(cfg).values())


# ----------------------------------------------------------------------------- noise
def noise_shapes(cfg: Config, T, B):
    N, K = B * cfg.k_particles, cfg.n_steps
    return {
        "prop_where": ("normal", (T, N, K, 4)),
        "prop_what": ("normal", (T, N, K, cfg.n_what)),
        "prop_pres": ("uniform", (T, N, K)),
        "disc_where": ("normal", (T, N, K, 4)),
        "disc_what": ("normal", (T, N, K, cfg.n_what)),
        "disc_pres": ("uniform", (T, N, K)),
    }


def make_noise(key, cfg: Config, T, B, dtype=jnp.float32):
    """Noise drawn by JAX (used for training); row index is n = b * k_particles + p."""
    out = {}
    for i, (name, (kind, shape)) in enumerate(noise_shapes(cfg, T, B).items()):
        k = jax.random.fold_in(key, i)
        out[name] = (jax.random.normal(k, shape, dtype) if kind == "normal"
                     else jax.random.uniform(k, shape, dtype))
    return out


def make_noise_np(seed, cfg, T, B, dtype=np.float64):
    rng = np.random.default_rng(seed)
    out = {}
    for name, (kind, shape) in noise_shapes(cfg, T, B).items():
        v = rng.standard_normal(shape) if kind == "normal" else rng.random(shape)
        out[name] = jnp.asarray(v.astype(dtype))
    return out


# ----------------------------------------------------------------------------- small maths
def lin(p, name, x):
    return x @ p[name + ".w"] + p[name + ".b"]


def elu(x):
    return jnp.where(x > 0, x, jnp.expm1(jnp.minimum(x, 0.0)))


def softplus(x):
    return jnp.logaddexp(x, 0.0)


def sigmoid(x):
    return jax.nn.sigmoid(x)


def mlp(p, name, x, hidden=2, out=False):
    for i in range(hidden):
        x = elu(lin(p, f"{name}.l{i}", x))
    return lin(p, name + ".out", x) if out else x


def gru(p, name, x, h):
    z = sigmoid(x @ p[name + ".wz"] + h @ p[name + ".uz"] + p[name + ".bz"])
    r = sigmoid(x @ p[name + ".wr"] + h @ p[name + ".ur"] + p[name + ".br"])
    c = jnp.tanh(x @ p[name + ".wh"] + (r * h) @ p[name + ".uh"] + p[name + ".bh"])
    return (1.0 - z) * h + z * c


def normal_lp(x, mu, sd):
    return -0.5 * ((x - mu) / sd) ** 2 - jnp.log(sd) - 0.5 * LOG2PI


def bernoulli_lp(v, logit):
    return v * logit - jnp.maximum(logit, 0.0) - jnp.log1p(jnp.exp(-jnp.abs(logit)))


def clip_keep_grad(x, lo, hi):
    """Clipped value, identity derivative."""
    return x + lax.stop_gradient(jnp.clip(x, lo, hi) - x)


def mask_logit(pres, logit):
    return pres * logit + (pres - 1.0) * ABSENT_LOGIT


def chol_template(c):
    """10 numbers -> lower-triangular 4x4 (TF 'clockwise spiral' order)."""
    z = jnp.zeros((), c.dtype)
    rows = [[c[4], z, z, z], [c[8], c[9], z, z], [c[7], c[6], c[5], z], [c[3], c[2], c[1], c[0]]]
    return jnp.stack([jnp.stack(r) for r in rows])


# ----------------------------------------------------------------------------- spatial transformer
def where_to_coords(where):
    """logits (sx, sy, tx, ty) -> (scale_x, scale_y, shift_x, shift_y)."""
    s = sigmoid(where[..., :2])
    s = s + lax.stop_gradient(jnp.maximum(s, 1e-4) - s)   # value clipped from below, gradient kept
    return s[..., 0], s[..., 1], jnp.tanh(where[..., 2]), jnp.tanh(where[..., 3])


def two_tap(pos, size):
    """pos[..., P] real pixel positions -> weights [..., P, size]; 2-banded, zero padded outside."""
    f = jnp.floor(pos)
    a = pos - f                                            # weight of tap f + 1 (right derivative)
    j = jnp.arange(size, dtype=pos.dtype)
    f = f[..., None]
    a = a[..., None]
    return jnp.where(j == f, 1.0 - a, 0.0) + jnp.where(j == f + 1.0, a, 0.0)


def _line(n, dtype):
    return jnp.linspace(-1.0, 1.0, n, dtype=dtype)


def crop_weights(scale, shift, n_img, n_glimpse):
    """rows = glimpse cells, cols = image pixels."""
    u = _line(n_glimpse, scale.dtype)
    pos = (scale[..., None] * u + shift[..., None] + 1.0) * (0.5 * (n_img - 1))
    return two_tap(pos, n_img)


def paste_weights(scale, shift, n_img, n_glimpse):
    """rows = image pixels, cols = glimpse cells (inverse map)."""
    u = _line(n_img, scale.dtype)
    pos = ((u - shift[..., None]) / scale[..., None] + 1.0) * (0.5 * (n_glimpse - 1))
    return two_tap(pos, n_glimpse)


def crop(cfg, img, where):
    """img [B,H,W]; where [B,P,K?,4] -> glimpses [B,P,K?,Gh,Gw]. Separable bilinear."""
    sx, sy, tx, ty = where_to_coords(where)
    wy = crop_weights(sy, ty, cfg.img[0], cfg.glimpse[0])
    wx = crop_weights(sx, tx, cfg.img[1], cfg.glimpse[1])
    if where.ndim == 3:
        tmp = jnp.einsum("bpgy,byx->bpgx", wy, img)
        return jnp.einsum("bpgx,bphx->bpgh", tmp, wx)
    tmp = jnp.einsum("bpkgy,byx->bpkgx", wy, img)
    return jnp.einsum("bpkgx,bpkhx->bpkgh", tmp, wx)


def bilinear_direct(img, px, py):
    """Plain 4-tap sampler used only for verification. img [H,W]; px,py same shape."""
    H, W = img.shape
    x0, y0 = jnp.floor(px), jnp.floor(py)
    out = 0.0
    for dy in (0, 1):
        for dx in (0, 1):
            xi, yi = x0 + dx, y0 + dy
            w = (1 - jnp.abs(px - xi)) * (1 - jnp.abs(py - yi))
            ok = (xi >= 0) & (xi < W) & (yi >= 0) & (yi < H)
            v = img[jnp.clip(yi, 0, H - 1).astype(int), jnp.clip(xi, 0, W - 1).astype(int)]
            out = out + jnp.where(ok, w * v, 0.0)
    return out


# ----------------------------------------------------------------------------- decoder (section 6)
def decode(p, cfg, what, where, pres):
    """what [N,K,nw], where [N,K,4], pres [N,K] -> canvas mean [N,H,W], glimpses [N,K,Gh,Gw], mask."""
    g = mlp(p, "dec", what, 2, out=True) * p["dec.output_scale"]
    g = g.reshape(what.shape[:-1] + tuple(cfg.glimpse))
    sx, sy, tx, ty = where_to_coords(where)
    vy = paste_weights(sy, ty, cfg.img[0], cfg.glimpse[0])          # [N,K,H,Gh]
    vx = paste_weights(sx, tx, cfg.img[1], cfg.glimpse[1])          # [N,K,W,Gw]
    vyp = vy * pres[..., None, None]
    gx = jnp.einsum("nkgh,nkxh->nkgx", g, vx)
    canvas = jnp.einsum("nkyg,nkgx->nyx", vyp, gx)
    cover = jnp.einsum("nky,nkx->nyx", vyp.sum(-1), vx.sum(-1))      # pasted all-ones glimpses
    mask = sigmoid(-10.0 + 20.0 * cover)
    return canvas + p["dec.mean_img"] * mask, g, mask


# ----------------------------------------------------------------------------- glimpse encoder
def encode_glimpse(p, g):
    """g [..., Gh*Gw] flattened -> (loc, scale) of 'what'."""
    h = lin(p, "enc.glimpse.out", mlp(p, "enc.glimpse", g, 2))
    loc, s = jnp.split(h, 2, -1)
    return loc, softplus(s) + MIN_STD


# ----------------------------------------------------------------------------- priors
def prop_prior(p, cfg, what, where, pres, h):
    """Per-object recurrent prior; inputs from t-1. Returns stats and the new GRU state."""
    h = gru(p, "prop.prior.gru", jnp.concatenate([what, where], -1), h)
    o = lin(p, "prop.prior.out", h)
    nw = cfg.n_what
    logit, o = o[..., 0], o[..., 1:]
    loc, sc = jnp.split(o, 2, -1)
    sc = softplus(sc) + MIN_STD
    logit = mask_logit(pres, logit + cfg.prop_prior_step_bias)
    return dict(where_loc=loc[..., :4], what_loc=loc[..., 4:],
                where_scale=sc[..., :4], what_scale=sc[..., 4:], logit=logit), h


def disc_prior_logits(p, e, first):
    """e [N,1] expected-propagation feature; first = 1.0 at t == 0 else 0.0."""
    l = p["disc.prior.step_bias"] + (1.0 - first) * p["disc.prior.step_time_bias"]
    return elu(l + mlp(p, "disc.prior.step", e, 1, out=True))


def where_prior_cond(p, cond, e):
    h0 = jnp.broadcast_to(p["disc.prior.where.h0"], cond.shape[:-1] + (4,))
    return elu(lin(p, "disc.prior.where.cond", jnp.concatenate([h0, cond, e], -1)))


def where_prior_step(p, c, prev):
    """c: conditioning (never updated across objects), prev: where of the previous object."""
    h = jnp.tanh(lin(p, "disc.prior.where.ih", prev) + lin(p, "disc.prior.where.hh", c))
    loc, s = jnp.split(lin(p, "disc.prior.where.out", h), 2, -1)
    return loc, softplus(s) + MIN_STD


def prop_summary_feature(cfg, prior_logit):
    return ((sigmoid(prior_logit) - 0.5) / cfg.n_steps).sum(-1, keepdims=True)


def encode_latents(p, what, where, pres):
    f = mlp(p, "enc.latent", jnp.concatenate([what, where], -1), 2)
    return (f * pres[..., None]).sum(-2)


# ----------------------------------------------------------------------------- propagation (section 4)
def propagate(p, cfg, img, st, nz):
    """img [B,H,W]; st: state at t-1; nz: noise slices for this time step. N = B * particles."""
    B = img.shape[0]
    N, K = st["pres"].shape
    P = N // B
    what1, where1, pres1, temp1 = st["what"], st["where"], st["pres"], st["temp"]

    prior, prior_h = prop_prior(p, cfg, what1, where1, pres1, st["prior_h"])

    # work that is independent across objects, done in one batch
    wb = 0.1 * mlp(p, "prop.where_bias", temp1, 1, out=True)
    gmask = sigmoid(mlp(p, "enc.mask", temp1, 1, out=True))                       # [N,K,G]
    g = crop(cfg, img, (where1 + wb).reshape(B, P, K, 4)).reshape(N, K, -1) * gmask
    seen_loc, _ = encode_glimpse(p, g)
    L0 = chol_template(p["prop.where.chol"]) + jnp.eye(4, dtype=what1.dtype)

    h = jnp.broadcast_to(p["prop.rnn.h0"], (N, cfg.n_hidden))
    km_what = jnp.zeros((N, cfg.n_what), what1.dtype)
    km_where = jnp.zeros((N, 4), what1.dtype)
    km_pres = jnp.zeros((N,), what1.dtype)
    rows = []
    for k in range(K):
        x = jnp.concatenate([seen_loc[:, k], km_what, km_where, km_pres[:, None],
                             what1[:, k], where1[:, k], pres1[:, k, None], temp1[:, k]], -1)
        h = jnp.tanh(lin(p, "prop.rnn.ih", x) + lin(p, "prop.rnn.hh", h))
        # where
        o = mlp(p, "prop.where", jnp.concatenate([h, where1[:, k], temp1[:, k]], -1), 2, out=True)
        w_loc = where1[:, k] + cfg.where_update_scale * o[:, :4]
        w_sc = softplus(o[:, 4:] + p["prop.where.scale_offset"] - 1.0) + MIN_STD
        L = w_sc[:, :, None] * L0                                                # row scaling
        w = w_loc + jnp.einsum("nij,nj->ni", L, nz["prop_where"][:, k])
        # what
        g = crop(cfg, img, w.reshape(B, P, 4)).reshape(N, -1) * gmask[:, k]
        e_loc, e_sc = encode_glimpse(p, g)
        th = gru(p, "prop.temporal", jnp.concatenate([h, w, e_loc, e_sc], -1), temp1[:, k])
        t_loc, t_sc = jnp.split(lin(p, "prop.what", th), 2, -1)
        t_sc = softplus(t_sc) + MIN_STD
        f, i, tg = jnp.split(0.9999 * sigmoid(lin(p, "prop.gates", th)), 3, -1)
        a_loc = f * what1[:, k] + (1 - i) * e_loc + (1 - tg) * t_loc
        a_sc = (1 - i) * e_sc + (1 - tg) * t_sc
        a = a_loc + a_sc * nz["prop_what"][:, k]
        # presence
        logit = mlp(p, "prop.pres", jnp.concatenate([h, temp1[:, k], a], -1), 1, out=True)[:, 0]
        logit = mask_logit(pres1[:, k], logit)
        prob = sigmoid(logit)
        pr = lax.stop_gradient((nz["prop_pres"][:, k] < prob).astype(a.dtype)) * pres1[:, k]
        rows.append(dict(what=a, what_loc=a_loc, what_scale=a_sc, where=w, where_loc=w_loc,
                         where_scale=w_sc, presence_prob=prob, presence=pr, presence_logit=logit,
                         temp=th))
        km_what, km_where, km_pres = a, w, pr
    o = {q: jnp.stack([r[q] for r in rows], 1) for q in rows[0]}

    # log-probabilities
    m = pres1 * o["presence"]
    # where ~ N(loc, L L^T) was drawn as loc + L eps, hence L^-1 (where - loc) == eps identically
    # (also for derivatives); no triangular solve is needed.
    white = nz["prop_where"]
    diag = 1.0 + jnp.stack([p["prop.where.chol"][i] for i in (4, 9, 5, 0)])
    logdet = jnp.log(jnp.abs(o["where_scale"] * diag)).sum(-1)
    q_where = (-0.5 * (white ** 2).sum(-1) - logdet - 2.0 * LOG2PI) * m
    q_what = normal_lp(o["what"], o["what_loc"], o["what_scale"]).sum(-1) * m
    p_where = normal_lp(o["where"], prior["where_loc"], prior["where_scale"]).sum(-1) * m
    p_what = normal_lp(o["what"], prior["what_loc"], prior["what_scale"]).sum(-1) * m
    q_b = bernoulli_lp(o["presence"], o["presence_logit"])
    q_pres = (q_b * pres1).sum(-1)
    p_pres = (bernoulli_lp(o["presence"], prior["logit"]) * pres1).sum(-1)
    o.update(prior=prior, prior_h=prior_h, num_steps=o["presence"].sum(-1),
             what_log_prob=q_what, where_log_prob=q_where, prop_log_prob=q_pres,
             what_prior_log_prob=p_what, where_prior_log_prob=p_where, prop_prior_log_prob=p_pres,
             prop_prob=jnp.exp(q_b) * pres1,
             q=(q_what + q_where).sum(-1) + q_pres, p=(p_what + p_where).sum(-1) + p_pres)
    return o


# ----------------------------------------------------------------------------- discovery (section 5)
def num_steps_probs(prob):
    """Bernoulli success probabilities [..., K] -> p(n = 0..K) [..., K+1]."""
    K = prob.shape[-1]
    run = jnp.ones_like(prob[..., 0])
    out = []
    for k in range(K):
        out.append(run * (1.0 - prob[..., k]))
        run = run * prob[..., k]
    out.append(run)
    return jnp.stack(out, -1)


def discover(p, cfg, img, img_code, prop, nz, first):
    """img_code [B, n_hidden]: the image encoding (same for every particle / step)."""
    B = img.shape[0]
    N, K = prop["presence"].shape
    P = N // B
    cond = encode_latents(p, prop["what"], prop["where"], prop["presence"])
    e = prop_summary_feature(cfg, prop["prior"]["logit"])
    code = jnp.repeat(img_code, P, axis=0)
    n = cfg.n_hidden
    # x = [code, cond, what, where, pres]; the first two blocks do not change over the K steps
    W = p["disc.rnn.ih.w"]
    fixed = jnp.repeat(img_code @ W[:n], P, axis=0) + cond @ W[n:2 * n] + p["disc.rnn.ih.b"]
    del code
    h = jnp.broadcast_to(p["disc.rnn.h0"], (N, n))
    km_what = jnp.zeros((N, cfg.n_what), cond.dtype)
    km_where = jnp.zeros((N, 4), cond.dtype)
    km_pres = jnp.ones((N,), cond.dtype)
    allowed = cfg.n_steps - prop["num_steps"]
    rows = []
    for k in range(K):
        x = jnp.concatenate([km_what, km_where, km_pres[:, None]], -1)
        h = jnp.tanh(fixed + x @ W[2 * n:] + lin(p, "disc.rnn.hh", h))
        o = mlp(p, "disc.where", h, 2, out=True)
        w_loc = o[:, :4]
        w_sc = softplus(o[:, 4:] + p["disc.where.scale_offset"]) + MIN_STD
        w = w_loc + w_sc * nz["disc_where"][:, k]
        g = crop(cfg, img, w.reshape(B, P, 4)).reshape(N, -1)
        a_loc, a_sc = encode_glimpse(p, g)
        a = a_loc + a_sc * nz["disc_what"][:, k]
        logit = mlp(p, "disc.pres", jnp.concatenate([h, a], -1), 1, out=True)[:, 0]
        gate = km_pres
        if cfg.mask_discovery:
            gate = gate * lax.stop_gradient((allowed > k).astype(a.dtype))
        logit = mask_logit(gate, logit)
        prob = sigmoid(logit)
        pr = lax.stop_gradient((nz["disc_pres"][:, k] < prob).astype(a.dtype)) * gate
        rows.append(dict(what=a, what_loc=a_loc, what_scale=a_sc, where=w, where_loc=w_loc,
                         where_scale=w_sc, presence_prob=prob, presence=pr, presence_logit=logit))
        km_what, km_where, km_pres = a, w, pr
    o = {q: jnp.stack([r[q] for r in rows], 1) for q in rows[0]}

    m = o["presence"]
    ns = m.sum(-1)
    q_what = normal_lp(o["what"], o["what_loc"], o["what_scale"]).sum(-1) * m
    q_where = normal_lp(o["where"], o["where_loc"], o["where_scale"]).sum(-1) * m
    p_what = normal_lp(o["what"], 0.0, jnp.ones((), cond.dtype)).sum(-1) * m
    c = where_prior_cond(p, cond, e)
    prev = jnp.concatenate(
        [jnp.broadcast_to(p["disc.prior.where.s0"], (N, 1, 4)), o["where"][:, :-1]], 1)
    pw_loc, pw_sc = where_prior_step(p, c[:, None], prev)
    p_where = normal_lp(o["where"], pw_loc, pw_sc).sum(-1) * m
    probs = num_steps_probs(o["presence_prob"])
    idx = ns.astype(jnp.int32)[:, None]
    q_n = jnp.log(clip_keep_grad(jnp.take_along_axis(probs, idx, -1)[:, 0], 1e-16, 1.0))
    prior_logits = disc_prior_logits(p, e, first)
    p_n = jnp.take_along_axis(jax.nn.log_softmax(prior_logits), idx, -1)[:, 0]
    o.update(num_steps=ns, num_steps_prob=probs, prior_step_logits=prior_logits,
             prior_where_loc=pw_loc, prior_where_scale=pw_sc, cond=cond, expected_prop=e,
             what_log_prob=q_what, where_log_prob=q_where, num_step_log_prob=q_n,
             what_prior_log_prob=p_what, where_prior_log_prob=p_where, num_step_prior_log_prob=p_n,
             q=(q_what + q_where).sum(-1) + q_n, p=(p_what + p_where).sum(-1) + p_n)
    return o


# ----------------------------------------------------------------------------- merging (section 7)
MERGED = ("what", "what_loc", "what_scale", "where", "where_loc", "where_scale",
          "presence_prob", "presence", "presence_logit")


def assign_ids(last_id, prev_ids, prop_pres, disc_pres):
    """last_id [N]; prev_ids [N,K]. Returns new last id and ids for the 2K candidates."""
    inc = jnp.cumsum(disc_pres, -1)
    prop_ids = jnp.where(prop_pres > 0, prev_ids, -1.0)
    disc_ids = jnp.where(disc_pres > 0, last_id[:, None] + inc, -1.0)
    return last_id + inc[:, -1], jnp.concatenate([prop_ids, disc_ids], 1)


def merge(p, cfg, prop, disc, ids, last_id):
    N, K = prop["presence"].shape
    cat = {q: jnp.concatenate([prop[q], disc[q]], 1) for q in MERGED if q in disc}
    t0 = jnp.broadcast_to(p["prop.temporal.h0"], (N, K, cfg.n_hidden))
    p0 = jnp.broadcast_to(p["prop.prior.gru.h0"], (N, K, cfg.n_hidden))
    cat["temp"] = jnp.concatenate([prop["temp"], t0], 1)
    cat["prior_h"] = jnp.concatenate([prop["prior_h"], p0], 1)
    last_id, cat["ids"] = assign_ids(last_id, ids, prop["presence"], disc["presence"])
    order = jnp.argsort(1.0 - cat["presence"], axis=1, stable=True)[:, :K]

    def pick(x):
        idx = order.reshape(order.shape + (1,) * (x.ndim - 2))
        return jnp.take_along_axis(x, idx, 1)

    return {q: pick(v) for q, v in cat.items()}, last_id


# ----------------------------------------------------------------------------- time step / sequence
def initial_state(p, cfg, N):
    dt = p["prop.temporal.h0"].dtype
    K = cfg.n_steps
    return dict(what=jnp.zeros((N, K, cfg.n_what), dt), where=jnp.zeros((N, K, 4), dt),
                pres=jnp.zeros((N, K), dt),
                temp=jnp.broadcast_to(p["prop.temporal.h0"], (N, K, cfg.n_hidden)),
                prior_h=jnp.broadcast_to(p["prop.prior.gru.h0"], (N, K, cfg.n_hidden)),
                ids=-jnp.ones((N, K), dt), last_id=-jnp.ones((N,), dt))


def next_state(z, last_id):
    return dict(what=z["what"], where=z["where"], pres=z["presence"], temp=z["temp"],
                prior_h=z["prior_h"], ids=z["ids"], last_id=last_id)


def infer_step(p, cfg, st, img, img_code, nz, first, full=True):
    B = img.shape[0]
    N = st["pres"].shape[0]
    prop = propagate(p, cfg, img, st, nz)
    disc = discover(p, cfg, img, img_code, prop, nz, first)
    z, last_id = merge(p, cfg, prop, disc, st["ids"], st["last_id"])
    canvas, glimpse, mask = decode(p, cfg, z["what"], z["where"], z["presence"])
    diff = img[:, None] - canvas.reshape((B, N // B) + tuple(cfg.img))
    ll = (-0.5 / cfg.output_std ** 2) * (diff ** 2).sum((-1, -2)).reshape(N)
    ll = ll - cfg.n_pix * (math.log(cfg.output_std) + 0.5 * LOG2PI)
    q, pz = prop["q"] + disc["q"], prop["p"] + disc["p"]
    out = dict(log_weight=ll - (q - pz), data_ll=ll, kl=q - pz, log_q=q, log_p=pz,
               discrete_log_prob=prop["prop_log_prob"] + disc["num_step_log_prob"],
               presence=z["presence"], ids=z["ids"], where=z["where"],
               num_steps=z["presence"].sum(-1), num_prop_steps=prop["num_steps"],
               num_disc_steps=disc["num_steps"])
    if full:
        out.update({q_: z[q_] for q_ in MERGED})
        out.update(canvas=canvas, glimpse=glimpse, mask=mask, temp=z["temp"], prior_h=z["prior_h"],
                   last_id=last_id)
        for k in ("what_log_prob", "where_log_prob", "prop_log_prob", "what_prior_log_prob",
                  "where_prior_log_prob", "prop_prior_log_prob", "prop_prob"):
            out["prop." + k] = prop[k]
        for k in ("what_log_prob", "where_log_prob", "num_step_log_prob", "what_prior_log_prob",
                  "where_prior_log_prob", "num_step_prior_log_prob", "num_steps_prob",
                  "prior_step_logits", "prior_where_loc", "prior_where_scale", "cond",
                  "expected_prop"):
            out["disc." + k] = disc[k]
        for k in MERGED:
            out["prop." + k] = prop[k]
            out["disc." + k] = disc[k]
        for k, v in prop["prior"].items():
            out["prop.prior." + k] = v
    return next_state(z, last_id), out


def encode_images(p, imgs):
    T, B = imgs.shape[:2]
    return mlp(p, "enc.img", imgs.reshape(T, B, -1), 2)


def forward(p, cfg: Config, imgs, noise, full=True, return_state=False, unroll=1):
    """imgs [T,B,H,W]. Returns dict of [T, N, ...] outputs plus sequence-level quantities."""
    T, B = imgs.shape[:2]
    N = B * cfg.k_particles
    codes = encode_images(p, imgs)
    first = (jnp.arange(T) == 0).astype(imgs.dtype)

    def body(st, xs):
        img, code, nz, f = xs
        return infer_step(p, cfg, st, img, code, nz, f, full)

    st, out = lax.scan(body, initial_state(p, cfg, N), (imgs, codes, noise, first), unroll=unroll)
    logw = out["log_weight"].sum(0).reshape(B, cfg.k_particles)
    logq_d = out["discrete_log_prob"].sum(0).reshape(B, cfg.k_particles)
    out["log_weights"] = logw
    out["elbo_iwae_per_example"] = iwae(logw)
    out["elbo_iwae"] = out["elbo_iwae_per_example"].mean()
    out["elbo_vae"] = logw.mean()
    out["control_variate"] = vimco_baseline(logw)
    out["importance_weights"] = jax.nn.softmax(lax.stop_gradient(logw), -1)
    out["target"] = objective(cfg, logw, logq_d) / T
    if return_state:
        out["state"] = st
    return out


# ----------------------------------------------------------------------------- objective (section 8)
def iwae(logw):
    return jax.scipy.special.logsumexp(logw, -1) - math.log(logw.shape[-1])


def vimco_baseline(logw):
    """[..., k] -> leave-one-out bound in which w_j is replaced by the geometric mean of the others."""
    k = logw.shape[-1]
    others = (logw.sum(-1, keepdims=True) - logw) / (k - 1.0)
    eye = jnp.eye(k, dtype=bool)
    table = jnp.where(eye, others[..., None, :], logw[..., :, None])   # [i, j]
    return jax.scipy.special.logsumexp(table, -2) - math.log(k)


def learning_signal(cfg, logw):
    if cfg.vimco == "ref":
        return lax.stop_gradient(logw - vimco_baseline(logw))
    return lax.stop_gradient(iwae(logw)[..., None] - vimco_baseline(logw))


def objective(cfg, logw, logq_discrete, signal=None):
    """Scalar to MINIMISE (before division by T)."""
    if signal is None:
        signal = learning_signal(cfg, logw)
    term = signal * logq_discrete
    score = term.mean(-1) if cfg.vimco == "ref" else term.sum(-1)
    return -(iwae(logw) + score).mean()


def loss_fn(p, cfg, imgs, noise):
    out = forward(p, cfg, imgs, noise, full=False)
    return out["target"], out


@partial(jax.jit, static_argnums=1)
def loss_and_grad(p, cfg, imgs, noise):
    (l, out), g = jax.value_and_grad(loss_fn, has_aux=True)(p, cfg, imgs, noise)
    return l, g, out


# ----------------------------------------------------------------------------- optimisers (section 9)
def opt_init(kind, p):
    z = {k: jnp.zeros_like(v) for k, v in p.items()}
    if kind == "rmsprop":                      # TF1 slots: mean square starts at ONE, momentum at zero
        return dict(ms={k: jnp.ones_like(v) for k, v in p.items()}, mom=z)
    if kind == "adam":
        return dict(m=z, v=z, t=jnp.zeros((), jnp.int32))
    raise ValueError(kind)


def global_norm(g):
    return jnp.sqrt(sum((v ** 2).sum() for v in g.values()))


def opt_update(kind, p, g, s, lr, clip=None):
    gn = global_norm(g)
    if clip is not None:
        c = jnp.minimum(1.0, clip / (gn + 1e-12))
        g = {k: v * c for k, v in g.items()}
    if kind == "rmsprop":
        ms = {k: 0.9 * s["ms"][k] + 0.1 * g[k] ** 2 for k in p}
        mom = {k: 0.9 * s["mom"][k] + lr * g[k] / jnp.sqrt(ms[k] + 1e-10) for k in p}
        return {k: p[k] - mom[k] for k in p}, dict(ms=ms, mom=mom), gn
    t = s["t"] + 1
    b1, b2, eps = 0.9, 0.999, 1e-8
    m = {k: b1 * s["m"][k] + (1 - b1) * g[k] for k in p}
    v = {k: b2 * s["v"][k] + (1 - b2) * g[k] ** 2 for k in p}
    a = lr * jnp.sqrt(1 - b2 ** t.astype(lr.dtype)) / (1 - b1 ** t.astype(lr.dtype))
    return {k: p[k] - a * m[k] / (jnp.sqrt(v[k]) + eps) for k in p}, dict(m=m, v=v, t=t), gn


@partial(jax.jit, static_argnums=(0, 1, 7))
def train_step(kind, cfg, p, s, imgs, key, lr, clip=None):
    T, B = imgs.shape[:2]
    noise = make_noise(key, cfg, T, B, imgs.dtype)
    (l, out), g = jax.value_and_grad(loss_fn, has_aux=True)(p, cfg, imgs, noise)
    p, s, gn = opt_update(kind, p, g, s, lr, clip)
    w = out["importance_weights"]                       # [B,P]
    P = cfg.k_particles

    def iw(x):                                          # importance-weighted mean over particles
        return (x.reshape(T, B, P) * w).sum(-1).mean()

    stats = dict(target=l, iwae_T=out["elbo_iwae"] / T, vae_T=out["elbo_vae"] / T, gnorm=gn,
                 ll=iw(out["data_ll"]), kl=iw(out["kl"]), num=iw(out["num_steps"]),
                 num_prop=iw(out["num_prop_steps"]), num_disc=iw(out["num_disc_steps"]))
    return p, s, stats


@partial(jax.jit, static_argnums=1)
def count_accuracy(p, cfg, imgs, noise, gt):
    """gt [T,B] true counts. Returns importance-weighted and raw accuracy, bound / T."""
    T, B = imgs.shape[:2]
    out = forward(p, cfg, imgs, noise, full=False)
    n = out["num_steps"].reshape(T, B, cfg.k_particles)
    ok = (n == gt[..., None]).astype(imgs.dtype)
    return ((ok * out["importance_weights"]).sum(-1).mean(), ok.mean(), out["elbo_iwae"] / T,
            out["num_steps"].mean())


# ----------------------------------------------------------------------------- generation (section 10)
def gen_noise_shapes(cfg, T, N):
    K = cfg.n_steps
    return {
        "gen_prop_what": ("normal", (T, N, K, cfg.n_what)),
        "gen_prop_where": ("normal", (T, N, K, 4)),
        "gen_prop_pres": ("uniform", (T, N, K)),
        "gen_disc_what": ("normal", (T, N, K, cfg.n_what)),
        "gen_disc_where": ("normal", (T, N, K, 4)),
        "gen_disc_num": ("uniform", (T, N)),
    }


def make_gen_noise_np(seed, cfg, T, N, dtype=np.float64):
    rng = np.random.default_rng(seed)
    return {k: jnp.asarray((rng.standard_normal(s) if d == "normal" else rng.random(s)).astype(dtype))
            for k, (d, s) in gen_noise_shapes(cfg, T, N).items()}


def prior_step(p, cfg, st, nz, first, discover_new):
    """One ancestral step of the generative model. discover_new: 0/1 factor on new objects."""
    N, K = st["pres"].shape
    pr, prior_h = prop_prior(p, cfg, st["what"], st["where"], st["pres"], st["prior_h"])
    what = pr["what_loc"] + pr["what_scale"] * nz["gen_prop_what"]
    where = pr["where_loc"] + pr["where_scale"] * nz["gen_prop_where"]
    prob = sigmoid(pr["logit"])
    pres = (nz["gen_prop_pres"] < prob).astype(what.dtype) * st["pres"]
    prop = dict(what=what, where=where, presence=pres, prior_h=prior_h, temp=st["temp"])
    cond = encode_latents(p, what, where, pres)
    e = prop_summary_feature(cfg, pr["logit"])
    logits = disc_prior_logits(p, e, first)
    cdf = jnp.cumsum(jax.nn.softmax(logits), -1)
    n = (nz["gen_disc_num"][:, None] >= cdf[:, :-1]).sum(-1)       # inverse-CDF categorical
    c = where_prior_cond(p, cond, e)
    prev = jnp.broadcast_to(p["disc.prior.where.s0"], (N, 4))
    ws = []
    for k in range(K):
        loc, sc = where_prior_step(p, c, prev)
        prev = loc + sc * nz["gen_disc_where"][:, k]
        ws.append(prev)
    dpres = (jnp.arange(K)[None] < n[:, None]).astype(what.dtype) * discover_new
    disc = dict(what=nz["gen_disc_what"], where=jnp.stack(ws, 1), presence=dpres)
    z, last_id = merge(p, cfg, prop, disc, st["ids"], st["last_id"])
    canvas, glimpse, mask = decode(p, cfg, z["what"], z["where"], z["presence"])
    return next_state(z, last_id), dict(what=z["what"], where=z["where"], presence=z["presence"],
                                        ids=z["ids"], canvas=canvas, glimpse=glimpse,
                                        num_steps=z["presence"].sum(-1))


def sample_prior(p, cfg, gen_noise, discover_later=True):
    """Unconditional ancestral sampling of T frames."""
    T, N = gen_noise["gen_disc_num"].shape
    dt = gen_noise["gen_prop_what"].dtype
    first = (jnp.arange(T) == 0).astype(dt)
    dn = jnp.where(first > 0, 1.0, 1.0 if discover_later else 0.0).astype(dt)

    def body(st, xs):
        nz, f, d = xs
        return prior_step(p, cfg, st, nz, f, d)

    return lax.scan(body, initial_state(p, cfg, N), (gen_noise, first, dn))[1]


def generate_conditional(p, cfg, imgs, noise, gen_noise, n_cond, discover_later=False):
    """Posterior for frames 0..n_cond-1, prior afterwards (reference: no discovery afterwards).

    imgs needs n_cond frames; gen_noise is indexed by absolute time (rows < n_cond unused)."""
    assert n_cond >= 1
    out = forward(p, cfg, imgs[:n_cond], {k: v[:n_cond] for k, v in noise.items()},
                  full=True, return_state=True)
    T = gen_noise["gen_disc_num"].shape[0]
    dt = gen_noise["gen_prop_what"].dtype
    zero = jnp.zeros((), dt)
    dn = jnp.asarray(1.0 if discover_later else 0.0, dt)
    tail = {k: v[n_cond:] for k, v in gen_noise.items()}
    if T > n_cond:
        _, g = lax.scan(lambda st, nz: prior_step(p, cfg, st, nz, zero, dn), out["state"], tail)
        res = {k: jnp.concatenate([out[k], g[k]], 0)
               for k in ("what", "where", "presence", "ids", "canvas", "glimpse", "num_steps")}
    else:
        res = {k: out[k] for k in ("what", "where", "presence", "ids", "canvas", "glimpse",
                                   "num_steps")}
    return res
