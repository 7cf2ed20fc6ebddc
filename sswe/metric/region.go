package metric

import (
	"math"

	"gonum.org/v1/gonum/stat"
)

// CNR is the contrast-to-noise ratio of a lesion against its background, |difference of means| / √(sum of variances),
// variances with divisor N.
func CNR(lesion, background []float64) float64 {
	if len(lesion) == 0 || len(background) == 0 {
		return undefined
	}
	ml, vl := stat.PopMeanVariance(lesion, nil)
	mb, vb := stat.PopMeanVariance(background, nil)
	if !(vl+vb > 0) {
		return undefined
	}
	return math.Abs(ml-mb) / math.Sqrt(vl+vb)
}

// GCNR is the generalised contrast-to-noise ratio (Rodriguez-Molares et al., IEEE TUFFC 67:745, 2020): 1 minus the
// overlap of the two histograms, so 1 where some rule on the value separates every pixel, 0 where none helps. The
// histograms have equal bins from low to high; values beyond fall into the first and the last. Few pixels or narrow bins
// raise it: compare only values made with the same bins and pixels.
func GCNR(lesion, background []float64, low, high float64, bins int) float64 {
	if len(lesion) == 0 || len(background) == 0 || bins < 1 || !(high > low) {
		return undefined
	}
	histogram := func(values []float64) []float64 {
		h := make([]float64, bins)
		for _, v := range values {
			h[min(bins-1, max(0, int(float64(bins)*(v-low)/(high-low))))] += 1 / float64(len(values))
		}
		return h
	}
	l, b := histogram(lesion), histogram(background)
	var overlap float64
	for k := range l {
		overlap += min(l[k], b[k])
	}
	return 1 - overlap
}

// Contrast is the lesion's mean minus the background's, in their unit, and their ratio.
func Contrast(lesion, background []float64) (difference, ratio float64) {
	if len(lesion) == 0 || len(background) == 0 {
		return undefined, undefined
	}
	l, b := stat.Mean(lesion, nil), stat.Mean(background, nil)
	return l - b, l / b
}

// Dice is twice the common area of two masks over the sum of their areas, 0 to 1; undefined where both are empty.
func Dice(a, b []bool) float64 {
	if len(a) != len(b) {
		return undefined
	}
	var common, areas float64
	for i := range a {
		if a[i] {
			areas++
		}
		if b[i] {
			areas++
		}
		if a[i] && b[i] {
			common++
		}
	}
	return 2 * common / areas
}
