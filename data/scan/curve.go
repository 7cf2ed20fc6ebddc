package scan

import (
	"math"
	"slices"
)

// A broken line is what a colour map is: straight runs between knots. Fitted
// with as few knots as the pixels ask for, it keeps the kinks of a map and
// averages the blocks of a JPEG over whole runs; a smooth map gets more knots.
type brokenLine struct {
	knots  []float64
	values []vec
}

// fitBrokenLine fits a continuous line to colours at positions in rising order.
// A knot is added while the Bayesian information criterion falls.
func fitBrokenLine(pos []float64, colours []vec) brokenLine {
	const (
		apart = 4  // px between knots
		most  = 24 // knots
		// Rounding leaves this much variance in every channel: less than it is no
		// reason for a knot.
		rounding = 1.0 / 12
		// Neighbours in a JPEG share their noise: a knot must explain more than if
		// each of the pixels were a witness of its own.
		shared = 2.0
	)
	n := len(pos)
	criterion := func(left float64, knots int) float64 {
		samples := float64(3 * n)
		return samples*math.Log(left/samples+rounding) + shared*4*float64(knots)*math.Log(samples)
	}
	knots := []float64{pos[0], pos[n-1]}
	best := lineOver(knots, pos, colours)
	left := best.left(pos, colours)
	for len(knots) < most {
		better, betterLeft, found := brokenLine{}, left, false
		for _, p := range pos {
			at, exact := slices.BinarySearch(knots, p)
			if exact || p-knots[at-1] < apart || knots[at]-p < apart {
				continue
			}
			try := lineOver(slices.Insert(slices.Clone(knots), at, p), pos, colours)
			if l := try.left(pos, colours); l < betterLeft {
				better, betterLeft, found = try, l, true
			}
		}
		if !found {
			break
		}
		better, betterLeft = better.settle(pos, colours, betterLeft, apart)
		if criterion(betterLeft, len(better.knots)) >= criterion(left, len(knots)) {
			break
		}
		best, left, knots = better, betterLeft, better.knots
	}
	return best
}

// settle moves the inner knots by pixels while that fits better.
func (l brokenLine) settle(pos []float64, colours []vec, left, apart float64) (brokenLine, float64) {
	for range 8 {
		moved := false
		for k := 1; k+1 < len(l.knots); k++ {
			for _, by := range []float64{-1, 1} {
				p := l.knots[k] + by
				if p-l.knots[k-1] < apart || l.knots[k+1]-p < apart {
					continue
				}
				knots := slices.Clone(l.knots)
				knots[k] = p
				if try := lineOver(knots, pos, colours); try.left(pos, colours) < left {
					l, left, moved = try, try.left(pos, colours), true
				}
			}
		}
		if !moved {
			break
		}
	}
	return l, left
}

// lineOver is the least-squares line with these knots.
func lineOver(knots, pos []float64, colours []vec) brokenLine {
	n := len(knots)
	diag, off, rhs := make([]float64, n), make([]float64, n), make([]vec, n)
	for i, k := 0, 0; i < len(pos); i++ {
		for k+2 < n && pos[i] > knots[k+1] {
			k++
		}
		w := (pos[i] - knots[k]) / (knots[k+1] - knots[k])
		diag[k] += (1 - w) * (1 - w)
		diag[k+1] += w * w
		off[k] += w * (1 - w)
		rhs[k] = rhs[k].add(colours[i].scale(1 - w))
		rhs[k+1] = rhs[k+1].add(colours[i].scale(w))
	}
	// a tridiagonal system
	for k := 1; k < n; k++ {
		f := off[k-1] / diag[k-1]
		diag[k] -= f * off[k-1]
		rhs[k] = rhs[k].sub(rhs[k-1].scale(f))
	}
	values := make([]vec, n)
	for k := n - 1; k >= 0; k-- {
		v := rhs[k]
		if k+1 < n {
			v = v.sub(values[k+1].scale(off[k]))
		}
		values[k] = v.scale(1 / diag[k])
	}
	return brokenLine{knots, values}
}

// at is the line's colour, extended straight beyond its ends.
func (l brokenLine) at(p float64) vec {
	k := 0
	for k+2 < len(l.knots) && p > l.knots[k+1] {
		k++
	}
	return mix(l.values[k], l.values[k+1], (p-l.knots[k])/(l.knots[k+1]-l.knots[k]))
}

// left is the sum of squares that the line leaves.
func (l brokenLine) left(pos []float64, colours []vec) float64 {
	sum := 0.0
	for i, p := range pos {
		d := colours[i].sub(l.at(p))
		sum += d.dot(d)
	}
	return sum
}
