package metric

import (
	"math"
	"slices"
)

// Coverage is the share of errors whose size is at most factor times their predicted spread, 0 to 1.
func Coverage(errors, spreads []float64, factor float64) float64 {
	if len(errors) != len(spreads) || len(errors) == 0 {
		return undefined
	}
	n := 0.0
	for i, e := range errors {
		if math.Abs(e) <= factor*spreads[i] {
			n++
		}
	}
	return n / float64(len(errors))
}

// CoverageFactor is the factor that makes intervals of ± factor x spread cover the given share of new errors: the
// ⌈(n+1) level⌉-th smallest ratio of error to spread (split conformal prediction, Vovk et al. 2005). Learn it on
// validation patients, never on those it is reported for. It is +Inf where n is too small for the level.
func CoverageFactor(errors, spreads []float64, level float64) float64 {
	if len(errors) != len(spreads) || !(level > 0 && level < 1) {
		return undefined
	}
	ratios := make([]float64, len(errors))
	for i, e := range errors {
		ratios[i] = math.Abs(e) / spreads[i]
	}
	slices.Sort(ratios)
	k := int(math.Ceil(float64(len(ratios)+1)*level - 1e-9))
	if k > len(ratios) {
		return math.Inf(1)
	}
	return ratios[k-1]
}

// Sparsified is a sparsification curve: the mean absolute error of what is left when the most uncertain share is taken
// away, next to the best any ranking could do (Ilg et al., ECCV 2018).
type Sparsified struct {
	Removed       []float64 // shares, from 0 to just below 1
	ByUncertainty []float64 // mean absolute error of the rest, in the errors' unit
	ByError       []float64 // the same where the largest errors go first
	AUSE          float64   // area between the two, in units of the error with nothing removed; 0 is a perfect ranking
}

// Sparsify removes in equal steps. Equal uncertainties keep their order.
func Sparsify(errors, uncertainty []float64, steps int) (Sparsified, bool) {
	if len(errors) != len(uncertainty) || len(errors) == 0 || steps < 1 || steps > len(errors) {
		return Sparsified{}, false
	}
	sizes := make([]float64, len(errors))
	for i, e := range errors {
		sizes[i] = math.Abs(e)
	}
	s := Sparsified{ByUncertainty: meansOfRest(sizes, ascending(uncertainty), steps), ByError: meansOfRest(sizes, ascending(sizes), steps)}
	for k := range steps {
		s.Removed = append(s.Removed, float64(k)/float64(steps))
		if k > 0 && s.ByError[0] > 0 {
			left, right := s.ByUncertainty[k-1]-s.ByError[k-1], s.ByUncertainty[k]-s.ByError[k]
			s.AUSE += (left + right) / 2 / float64(steps) / s.ByError[0]
		}
	}
	return s, true
}

// meansOfRest is the mean size of the first n - ⌊n k/steps⌋ entries of order for k = 0 … steps-1.
func meansOfRest(sizes []float64, order []int, steps int) []float64 {
	sums := make([]float64, len(order)+1)
	for k, i := range order {
		sums[k+1] = sums[k] + sizes[i]
	}
	means := make([]float64, steps)
	for k := range means {
		left := len(order) - len(order)*k/steps
		means[k] = sums[left] / float64(left)
	}
	return means
}
