package metric

import (
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// MAE is the mean absolute error of y against x, in their unit.
func MAE(x, y []float64) float64 {
	return meanOver(x, y, func(d float64) float64 { return math.Abs(d) })
}

// RMSE is the root of the mean squared error of y against x, in their unit.
func RMSE(x, y []float64) float64 {
	return math.Sqrt(meanOver(x, y, func(d float64) float64 { return d * d }))
}

// Bias is the mean of y minus x, in their unit.
func Bias(x, y []float64) float64 {
	return meanOver(x, y, func(d float64) float64 { return d })
}

func meanOver(x, y []float64, of func(difference float64) float64) float64 {
	if len(x) != len(y) || len(x) == 0 {
		return undefined
	}
	var sum float64
	for i := range x {
		sum += of(y[i] - x[i])
	}
	return sum / float64(len(x))
}

// Moments are the sums from which error, correlation, concordance and the regression line follow. Moments of disjoint
// sets add up, so that a resampling of patients needs one pass over the pixels, not one for each resample.
type Moments struct {
	N, X, Y, XX, YY, XY float64
}

// Add counts one pair.
func (m *Moments) Add(x, y float64) {
	m.N++
	m.X, m.Y = m.X+x, m.Y+y
	m.XX, m.YY, m.XY = m.XX+x*x, m.YY+y*y, m.XY+x*y
}

// Plus adds other, weight times.
func (m *Moments) Plus(other Moments, weight float64) {
	m.N += weight * other.N
	m.X, m.Y = m.X+weight*other.X, m.Y+weight*other.Y
	m.XX, m.YY, m.XY = m.XX+weight*other.XX, m.YY+weight*other.YY, m.XY+weight*other.XY
}

// MomentsOf sums over the pairs of x and y; slices of different length give none.
func MomentsOf(x, y []float64) Moments {
	var m Moments
	if len(x) == len(y) {
		for i := range x {
			m.Add(x[i], y[i])
		}
	}
	return m
}

// central gives the means and the variances and covariance with divisor N.
func (m Moments) central() (meanX, meanY, varX, varY, cov float64) {
	meanX, meanY = m.X/m.N, m.Y/m.N
	return meanX, meanY, m.XX/m.N - meanX*meanX, m.YY/m.N - meanY*meanY, m.XY/m.N - meanX*meanY
}

// spread tells whether a variance is more than what rounding leaves of a constant.
func spread(variance, mean float64) bool { return variance > 1e-12*(1+mean*mean) }

// Pearson is the product-moment correlation, -1 to 1.
func (m Moments) Pearson() float64 {
	mx, my, vx, vy, c := m.central()
	if !spread(vx, mx) || !spread(vy, my) {
		return undefined
	}
	return c / math.Sqrt(vx*vy)
}

// Concordance is Lin's coefficient (Biometrics 45:255, 1989), -1 to 1: correlation, lowered by any difference of mean
// or scale. Variances have divisor N, as there.
func (m Moments) Concordance() float64 {
	mx, my, vx, vy, c := m.central()
	if !(vx+vy+(mx-my)*(mx-my) > 0) {
		return undefined
	}
	return 2 * c / (vx + vy + (mx-my)*(mx-my))
}

// Line is the least-squares line y = slope x + intercept.
func (m Moments) Line() (slope, intercept float64) {
	mx, my, vx, _, c := m.central()
	if !spread(vx, mx) {
		return undefined, undefined
	}
	slope = c / vx
	return slope, my - slope*mx
}

// Pearson is the product-moment correlation of the pairs.
func Pearson(x, y []float64) float64 { return MomentsOf(x, y).Pearson() }

// Concordance is Lin's coefficient of the pairs.
func Concordance(x, y []float64) float64 { return MomentsOf(x, y).Concordance() }

// Spearman is the correlation of the ranks, ties sharing their mean rank.
func Spearman(x, y []float64) float64 { return Pearson(Ranks(x), Ranks(y)) }

// Limits are Bland and Altman's limits of agreement of paired measurements, bias ± 1.96 SD, each with its 95 % interval.
type Limits struct {
	N                        int
	Bias, SD, Lower, Upper   float64
	BiasCI, LowerCI, UpperCI Interval
}

// BlandAltman gives the limits of independent differences (Bland and Altman, Lancet 1986;327:307): the standard error
// is SD/√n of the bias and SD √(1/n + 1.96²/(2(n-1))) of a limit (Stat Methods Med Res 1999;8:135), with Student's t.
func BlandAltman(differences []float64) Limits {
	l := Limits{N: len(differences)}
	if l.N < 2 {
		l.Bias, l.SD, l.Lower, l.Upper = undefined, undefined, undefined, undefined
		return l
	}
	l.Bias, l.SD = stat.MeanStdDev(differences, nil)
	l.Lower, l.Upper = l.Bias-z95*l.SD, l.Bias+z95*l.SD
	n := float64(l.N)
	t := distuv.StudentsT{Sigma: 1, Nu: n - 1}.Quantile(0.975)
	ofBias, ofLimit := t*l.SD/math.Sqrt(n), t*l.SD*math.Sqrt(1/n+z95*z95/(2*(n-1)))
	l.BiasCI = Interval{l.Bias - ofBias, l.Bias + ofBias}
	l.LowerCI = Interval{l.Lower - ofLimit, l.Lower + ofLimit}
	l.UpperCI = Interval{l.Upper - ofLimit, l.Upper + ofLimit}
	return l
}

// BlandAltmanClustered gives the limits for a new single measurement where differences come in clusters (planes of
// patients): the variance is that between clusters plus that within, from a one-way analysis of variance (Bland and
// Altman, J Biopharm Stat 2007;17:571). Its bias is the mean over all differences. cluster numbers each difference's
// cluster, from 0. Its intervals are left empty: a bootstrap over clusters gives them.
func BlandAltmanClustered(differences []float64, cluster []int) Limits {
	l := Limits{N: len(differences)}
	between, within, ok := varianceComponents(differences, cluster)
	if !ok {
		l.Bias, l.SD, l.Lower, l.Upper = undefined, undefined, undefined, undefined
		return l
	}
	l.Bias, l.SD = stat.Mean(differences, nil), math.Sqrt(between+within)
	l.Lower, l.Upper = l.Bias-z95*l.SD, l.Bias+z95*l.SD
	return l
}

// varianceComponents are the variances between and within clusters by the method of moments; unequal cluster sizes
// enter as their usual effective size. A negative estimate between clusters is 0.
func varianceComponents(values []float64, cluster []int) (between, within float64, ok bool) {
	if len(values) != len(cluster) || len(values) < 2 {
		return undefined, undefined, false
	}
	sum, size := map[int]float64{}, map[int]float64{}
	for i, v := range values {
		sum[cluster[i]] += v
		size[cluster[i]]++
	}
	n, k, mean := float64(len(values)), float64(len(sum)), stat.Mean(values, nil)
	if k < 2 {
		return undefined, undefined, false
	}
	var squaresWithin, squaresBetween, squaredSizes float64
	for i, v := range values {
		d := v - sum[cluster[i]]/size[cluster[i]]
		squaresWithin += d * d
		e := sum[cluster[i]]/size[cluster[i]] - mean
		squaresBetween += e * e
	}
	for _, s := range size {
		squaredSizes += s * s
	}
	meanBetween := squaresBetween / (k - 1)
	if n == k { // one each: nothing is within
		return meanBetween, 0, true
	}
	within = squaresWithin / (n - k)
	return max(0, (meanBetween-within)/((n-squaredSizes/n)/(k-1))), within, true
}
