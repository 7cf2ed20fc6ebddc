package scan

import (
	"math"
	"slices"
)

// quantile is the q-quantile of the values, NaN when there are none. The values
// are left as they are.
func quantile(v []float64, q float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	sorted := slices.Clone(v)
	slices.Sort(sorted)
	p := q * float64(len(sorted)-1)
	i := int(p)
	if i+1 >= len(sorted) {
		return sorted[i]
	}
	return sorted[i] + (p-float64(i))*(sorted[i+1]-sorted[i])
}

// median is the 0.5-quantile.
func median(v []float64) float64 { return quantile(v, 0.5) }
