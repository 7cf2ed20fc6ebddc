"""Makes golden.json: what independent implementations say of the same numbers.

Regenerate:  pip install numpy scipy scikit-image scikit-learn statsmodels MLstatkit && python golden.py

Where a library has the quantity, the library is asked. Concordance, Obuchowski's variance, gCNR, masked SSIM and
sparsification have none there: these are written out from their papers by the slow, obvious loops.
"""
import json
import pathlib

import numpy as np
import pandas as pd  # a dependency of statsmodels
import statsmodels.api as sm
from MLstatkit import Delong_test
from scipy import ndimage, stats
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from sklearn import metrics as sk
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm
from statsmodels.stats.proportion import proportion_confint

rng = np.random.default_rng(2019)
gold = {}

# Agreement of two measurements, with ties.
x = np.round(25 + 8 * rng.standard_normal(40), 1)
y = np.round(8 + 0.6 * x + 4 * rng.standard_normal(40), 1)
line = stats.linregress(x, y)
gold["agreement"] = dict(
    x=x, y=y, mae=sk.mean_absolute_error(x, y), rmse=np.sqrt(sk.mean_squared_error(x, y)), bias=np.mean(y - x),
    pearson=stats.pearsonr(x, y).statistic, spearman=stats.spearmanr(x, y).statistic, slope=line.slope,
    intercept=line.intercept,
    concordance=2 * np.cov(x, y, ddof=0)[0, 1] / (x.var() + y.var() + (x.mean() - y.mean()) ** 2))

# Limits of agreement: independent, and clustered with unequal sizes.
d = y - x
n, sd, z = len(d), d.std(ddof=1), stats.norm.ppf(0.975)
mean_ci = sm.stats.DescrStatsW(d).tconfint_mean(alpha=0.05)
half = stats.t.ppf(0.975, n - 1) * sd * np.sqrt(1 / n + z**2 / (2 * (n - 1)))
cluster = np.repeat(np.arange(9), [3, 5, 4, 6, 3, 7, 2, 6, 4])
shifted = d + 3 * rng.standard_normal(9)[cluster]


table = anova_lm(ols("d ~ C(c)", pd.DataFrame(dict(d=shifted, c=cluster))).fit())
sizes = np.bincount(cluster)
n0 = (sizes.sum() - (sizes**2).sum() / sizes.sum()) / (len(sizes) - 1)
msb, msw = table["mean_sq"]["C(c)"], table["mean_sq"]["Residual"]
sd_clustered = np.sqrt(max(0, (msb - msw) / n0) + msw)
gold["bland_altman"] = dict(
    differences=d, bias=d.mean(), sd=sd, lower=d.mean() - z * sd, upper=d.mean() + z * sd, bias_ci=mean_ci,
    lower_ci=[d.mean() - z * sd - half, d.mean() - z * sd + half],
    upper_ci=[d.mean() + z * sd - half, d.mean() + z * sd + half],
    shifted=shifted, cluster=cluster, sd_clustered=sd_clustered, lower_clustered=shifted.mean() - z * sd_clustered)

# Images in kPa with a range of 70: whole, and within a mask that leaves windows partly empty.
h, w, R = 26, 31, 70.0
base = 25 + 15 * ndimage.gaussian_filter(rng.standard_normal((h, w)), 3) / 0.1
a = np.clip(base + rng.standard_normal((h, w)), 0, R)
b = np.clip(0.7 * base + 9 + 2 * rng.standard_normal((h, w)), 0, R)
mask = (np.add.outer((np.arange(h) - 13) ** 2 / 81, (np.arange(w) - 14) ** 2 / 144) < 1) & (rng.random((h, w)) > 0.05)


def blurred(v, sigma=1.5, truncate=3.5):
    return ndimage.gaussian_filter(v, sigma, truncate=truncate, mode="constant")


def masked_ssim(p, q, m):
    weight = np.maximum(blurred(m.astype(float)), 1e-300)
    mean = lambda v: blurred(np.where(m, v, 0)) / weight
    mp, mq = mean(p), mean(q)
    vp, vq, c = mean(p * p) - mp**2, mean(q * q) - mq**2, mean(p * q) - mp * mq
    c1, c2 = (0.01 * R) ** 2, (0.03 * R) ** 2
    s = (2 * mp * mq + c1) * (2 * c + c2) / ((mp**2 + mq**2 + c1) * (vp + vq + c2))
    return s[m].mean()


smooth = blurred(np.where(mask, a, 0), 2.0, 4.0) / np.maximum(blurred(mask.astype(float), 2.0, 4.0), 1e-300)
gold["image"] = dict(
    height=h, width=w, range=R, a=a.ravel(), b=b.ravel(), mask=mask.ravel(),
    ssim=structural_similarity(a, b, data_range=R, gaussian_weights=True, sigma=1.5, use_sample_covariance=False),
    psnr=peak_signal_noise_ratio(a, b, data_range=R), ssim_masked=masked_ssim(a, b, mask),
    psnr_masked=peak_signal_noise_ratio(a[mask], b[mask], data_range=R), blur_sigma=2.0,
    blur=np.where(mask, smooth, 0).ravel())

# Lesion and background.
lesion, background = 45 + 9 * rng.standard_normal(50), 24 + 7 * rng.standard_normal(300)
edges = np.linspace(0, R, 36)
hl, hb = (np.histogram(np.clip(v, 0, R), edges)[0] / len(v) for v in (lesion, background))
masks = rng.random((2, 60)) > 0.6
gold["region"] = dict(
    lesion=lesion, background=background, bins=35, high=R,
    cnr=abs(lesion.mean() - background.mean()) / np.sqrt(lesion.var() + background.var()),
    gcnr=1 - np.minimum(hl, hb).sum(), difference=lesion.mean() - background.mean(),
    ratio=lesion.mean() / background.mean(), first=masks[0], second=masks[1], dice=sk.f1_score(masks[0], masks[1]))

# Two scores of the same regions in patients, with ties.
patient = np.sort(rng.integers(0, 12, 140))
positive = rng.random(140) < 0.25 + 0.2 * (patient % 3 == 0)
effect = 4 * rng.standard_normal(12)[patient]
first = np.round(24 + 12 * positive + effect + 8 * rng.standard_normal(140))
second = np.round(25 + 5 * positive + effect + 8 * rng.standard_normal(140))


def kernel(score):
    p, q = score[positive][:, None], score[~positive][None, :]
    return (p > q) + 0.5 * (p == q)


def obuchowski(one, two):
    ones, zeros = positive.sum(), (~positive).sum()
    k1, k2 = kernel(one), kernel(two)
    ids = np.unique(patient)
    s10 = s01 = s11 = 0.0
    for i in ids:
        p, q = patient[positive] == i, patient[~positive] == i
        dx = [k[p].mean(axis=1).sum() - p.sum() * k.mean() for k in (k1, k2)]
        dy = [k[:, q].mean(axis=0).sum() - q.sum() * k.mean() for k in (k1, k2)]
        s10, s01 = s10 + dx[0] * dx[1], s01 + dy[0] * dy[1]
        s11 += dx[0] * dy[1] + dx[1] * dy[0]
    i10, i01, i = len(np.unique(patient[positive])), len(np.unique(patient[~positive])), len(ids)
    return (i10 / (i10 - 1) * s10 / ones**2 + i01 / (i01 - 1) * s01 / zeros**2 + i / (i - 1) * s11 / (ones * zeros))


delong_z, delong_p = Delong_test(positive.astype(int), first, second)[:2]
auc = [sk.roc_auc_score(positive, s) for s in (first, second)]
k = [kernel(s) for s in (first, second)]
delong_cov = (np.cov(k[0].mean(axis=1), k[1].mean(axis=1))[0, 1] / positive.sum()
              + np.cov(k[0].mean(axis=0), k[1].mean(axis=0))[0, 1] / (~positive).sum())
clustered = [obuchowski(first, first), obuchowski(second, second), obuchowski(first, second)]
clustered_z = (auc[0] - auc[1]) / np.sqrt(clustered[0] + clustered[1] - 2 * clustered[2])
weights = rng.integers(0, 4, 12)
fpr, tpr, cuts = sk.roc_curve(positive, first, drop_intermediate=False)
called = first > 35
tn, fp, fn, tp = sk.confusion_matrix(positive, called).ravel()
gold["roc"] = dict(
    patient=patient, positive=positive, first=first, second=second, auc=auc, fpr=fpr, tpr=tpr,
    youden=(tpr - fpr).max(), delong_variance=[np.cov(v.mean(axis=1)) / positive.sum()
    + np.cov(v.mean(axis=0)) / (~positive).sum() for v in k], delong_covariance=delong_cov, delong_z=abs(delong_z),
    delong_p=delong_p, clustered_variance=clustered[:2], clustered_covariance=clustered[2], clustered_z=clustered_z,
    clustered_p=2 * stats.norm.sf(abs(clustered_z)), weights=weights,
    weighted_auc=sk.roc_auc_score(positive, first, sample_weight=weights[patient]), cut=35,
    sensitivity=sk.recall_score(positive, called), specificity=sk.recall_score(~positive, ~called),
    wilson_sensitivity=proportion_confint(tp, tp + fn, method="wilson"),
    wilson_specificity=proportion_confint(tn, tn + fp, method="wilson"))

# Uncertainty: errors whose spread is half known.
spread = np.exp(0.5 * rng.standard_normal(200))
error = spread * rng.laplace(size=200)
guess = spread * np.exp(0.4 * rng.standard_normal(200))
steps = 20
rest = lambda order: [np.abs(error)[order[: 200 - 200 * j // steps]].mean() for j in range(steps)]
by_guess, by_error = rest(np.argsort(guess)), rest(np.argsort(np.abs(error)))
gap = (np.array(by_guess) - np.array(by_error)) / by_error[0]
gold["uncertainty"] = dict(
    errors=error, spreads=guess, factor=1.7, coverage=np.mean(np.abs(error) <= 1.7 * guess), level=0.9,
    coverage_factor=np.quantile(np.abs(error) / guess, np.ceil(201 * 0.9) / 200, method="inverted_cdf"), steps=steps,
    by_uncertainty=by_guess, by_error=by_error, ause=np.trapezoid(gap, dx=1 / steps))


def plain(v):
    if isinstance(v, dict):
        return {k: plain(e) for k, e in v.items()}
    if isinstance(v, (list, tuple, np.ndarray)):
        return [plain(e) for e in v]
    return v.item() if isinstance(v, np.generic) else v


out = pathlib.Path(__file__).with_name("golden.json")
out.write_text(json.dumps(plain(gold), indent=None, separators=(",", ":")) + "\n")
