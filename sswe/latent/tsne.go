package latent

import (
	"context"
	"fmt"
	"math"
)

// TSNE embeds the points in the plane by t-distributed stochastic neighbour embedding (van der Maaten & Hinton, JMLR 9,
// 2008): close points stay close, distances between far ones mean nothing. It starts from the first two principal
// components (Kobak & Berens, Nat Commun 10:5416, 2019), so it needs no seed and keeps the coarse order.
//
// Perplexity is the number of neighbours a point listens to; it must be less than a third of the points. The public Go
// implementation was tried: it never clears its gradient, so it does not settle.
func (p Points) TSNE(ctx context.Context, perplexity float64) (Points, error) {
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("t-SNE: %w", err)
	}
	if !(perplexity >= 2) || perplexity > float64(len(p)-1)/3 {
		return nil, fmt.Errorf("t-SNE: a perplexity of %v for %d points; give 2 to %.0f", perplexity, len(p), float64(len(p)-1)/3)
	}
	start, _, err := p.Components(2)
	if err != nil {
		return nil, fmt.Errorf("t-SNE: %w", err)
	}
	if len(start[0]) < 2 {
		return nil, fmt.Errorf("t-SNE: the points have one feature; two at least are needed for a plane")
	}
	e := embedding{near: affinities(p, perplexity), y: make(Points, len(p)), speed: make(Points, len(p)), gain: make(Points, len(p))}
	scale := 0.0
	for _, row := range start {
		scale += row[0] * row[0] / float64(len(p))
	}
	for i, row := range start {
		e.y[i] = []float64{1e-4 * row[0] / math.Sqrt(scale), 1e-4 * row[1] / math.Sqrt(scale)}
		e.speed[i], e.gain[i] = make([]float64, 2), []float64{1, 1}
	}
	const steps, early = 1000, 250 // as in the authors' code: the early steps pull four-fold to twelve-fold
	for step := range steps {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("t-SNE: %w", context.Cause(ctx))
		}
		if step < early {
			e.step(12, 0.5)
		} else {
			e.step(1, 0.8)
		}
	}
	return e.y, nil
}

// affinities is the symmetric probability that two points are neighbours, [points][points].
func affinities(p Points, perplexity float64) Points {
	n := len(p)
	out := make(Points, n)
	for i := range p {
		squares := make([]float64, n)
		for j := range p {
			squares[j] = squaredDistance(p[i], p[j])
		}
		out[i] = neighbours(squares, i, math.Log(perplexity))
	}
	for i := range n {
		for j := range i {
			v := max((out[i][j]+out[j][i])/float64(2*n), 1e-12)
			out[i][j], out[j][i] = v, v
		}
	}
	return out
}

// neighbours turns squared distances from point i into probabilities of a given entropy, by bisection of the Gaussian's
// precision.
func neighbours(squares []float64, i int, entropy float64) []float64 {
	out := make([]float64, len(squares))
	nearest := math.Inf(1)
	for j, d := range squares {
		if j != i {
			nearest = min(nearest, d)
		}
	}
	low, high, precision := 0.0, math.Inf(1), 1.0
	for range 100 {
		sum, weighted := 0.0, 0.0
		for j, d := range squares {
			out[j] = 0
			if j != i {
				out[j] = math.Exp(-precision * (d - nearest)) // the offset cancels out and keeps the sum from 0
				sum += out[j]
				weighted += out[j] * (d - nearest)
			}
		}
		for j := range out {
			out[j] /= sum
		}
		switch found := math.Log(sum) + precision*weighted/sum; {
		case math.Abs(found-entropy) < 1e-6:
			return out
		case found > entropy: // too many neighbours
			low = precision
			precision = min(2*precision, (precision+high)/2)
		default:
			high = precision
			precision = (low + precision) / 2
		}
	}
	return out
}

// embedding is a t-SNE under way.
type embedding struct {
	near           Points // affinities
	y, speed, gain Points // [points][2]
}

// step moves every point down the gradient of the Kullback-Leibler divergence, attraction multiplied by exaggeration.
func (e *embedding) step(exaggeration, momentum float64) {
	n := len(e.y)
	weights, total := make(Points, n), 0.0 // Student's t with one degree of freedom
	for i := range n {
		weights[i] = make([]float64, n)
		for j := range i {
			w := 1 / (1 + squaredDistance(e.y[i], e.y[j]))
			weights[i][j], weights[j][i] = w, w
			total += 2 * w
		}
	}
	rate := max(float64(n)/12, 50) // Belkina et al., Nat Commun 10:5415, 2019
	for i := range n {
		var gradient [2]float64
		for j := range n {
			pull := 4 * (exaggeration*e.near[i][j] - weights[i][j]/total) * weights[i][j]
			for d := range gradient {
				if j != i {
					gradient[d] += pull * (e.y[i][d] - e.y[j][d])
				}
			}
		}
		for d, g := range gradient {
			if (g > 0) == (e.speed[i][d] > 0) { // against the motion: brake
				e.gain[i][d] = max(0.01, 0.8*e.gain[i][d])
			} else {
				e.gain[i][d] += 0.2
			}
			e.speed[i][d] = momentum*e.speed[i][d] - rate*e.gain[i][d]*g
		}
	}
	for i := range n {
		for d := range e.y[i] {
			e.y[i][d] += e.speed[i][d]
		}
	}
}
