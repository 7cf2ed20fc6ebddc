package phantom

import (
	"math"
	"math/rand/v2"
)

// redraws bounds how often a cut-off distribution is drawn again before it is clamped instead.
const redraws = 64

// draw takes one value between Min and Max.
func (n Normal) draw(rng *rand.Rand) float64 {
	for range redraws {
		if v := n.Mean + n.SD*rng.NormFloat64(); v >= n.Min && v <= n.Max {
			return v
		}
	}
	return min(max(n.Mean, n.Min), n.Max)
}

// draw takes one value between Min and Max.
func (l LogNormal) draw(rng *rand.Rand) float64 {
	for range redraws {
		if v := l.Median * math.Exp(l.LogSD*rng.NormFloat64()); v >= l.Min && v <= l.Max {
			return v
		}
	}
	return min(max(l.Median, l.Min), l.Max)
}

// poisson takes one count by multiplying uniforms; the means here are small.
func poisson(rng *rand.Rand, mean float64) int {
	n, p, limit := 0, rng.Float64(), math.Exp(-mean)
	for p > limit {
		n++
		p *= rng.Float64()
	}
	return n
}

// pick takes an index with the given probabilities, which need not sum to one exactly.
func pick(rng *rand.Rand, share []float64) int {
	total := 0.0
	for _, s := range share {
		total += s
	}
	u := rng.Float64() * total
	for i, s := range share {
		if u -= s; u < 0 {
			return i
		}
	}
	return len(share) - 1
}
