package scan

import (
	"math"
	"slices"
)

// evidence is what the pixels along a bar say of its colours: for each of three
// channels a quadratic form in the colours at pos, the sum of squares that they
// leave unexplained, in units of their noise.
type evidence struct {
	pos      []float64      // px along the bar, rising
	square   [3][][]float64 // [channel][i][d] couples i with i+d: neighbours in a JPEG share their noise
	linear   [3][]float64
	constant float64
	samples  float64 // observations behind the form
	rounding float64 // variance that is always there, in the same units: no reason for a knot
}

// seen is evidence of colours that were seen one by one, without noise but for
// the rounding to levels.
func seen(pos []float64, colours []vec) *evidence {
	e := &evidence{pos: pos, samples: float64(3 * len(pos)), rounding: 1.0 / 12}
	for c := range 3 {
		e.square[c], e.linear[c] = make([][]float64, len(pos)), make([]float64, len(pos))
		for i, v := range colours {
			e.square[c][i], e.linear[c][i] = []float64{1}, v[c]
			e.constant += v[c] * v[c]
		}
	}
	return e
}

// left is what colours at the positions leave of the evidence.
func (e *evidence) left(colours []vec) float64 {
	sum := e.constant
	for c := range 3 {
		for i, couplings := range e.square[c] {
			sum -= 2 * e.linear[c][i] * colours[i][c]
			for d, a := range couplings {
				if d > 0 {
					a *= 2
				}
				sum += a * colours[i][c] * colours[i+d][c]
			}
		}
	}
	return sum
}

// coarser is the same evidence about no more than that many equally spaced
// positions, colours between them straight: a long bar needs no knot a pixel.
func (e *evidence) coarser(most int) *evidence {
	n := len(e.pos)
	if n <= most {
		return e
	}
	out := &evidence{constant: e.constant, samples: e.samples, rounding: e.rounding}
	for k := range most {
		out.pos = append(out.pos, e.pos[0]+(e.pos[n-1]-e.pos[0])*float64(k)/float64(most-1))
	}
	for c := range 3 {
		out.square[c], out.linear[c] = make([][]float64, most), make([]float64, most)
		add := func(i, j int, v float64) {
			i, j = min(i, j), max(i, j)
			for len(out.square[c][i]) <= j-i {
				out.square[c][i] = append(out.square[c][i], 0)
			}
			out.square[c][i][j-i] += v
		}
		before, share := e.between(out.pos)
		for i, couplings := range e.square[c] {
			k, w := before[i], share[i]
			out.linear[c][k] += (1 - w) * e.linear[c][i]
			out.linear[c][k+1] += w * e.linear[c][i]
			for d, v := range couplings {
				j, u := before[i+d], share[i+d]
				for _, part := range [4]struct {
					i, j int
					v    float64
				}{{k, j, (1 - w) * (1 - u)}, {k, j + 1, (1 - w) * u}, {k + 1, j, w * (1 - u)}, {k + 1, j + 1, w * u}} {
					switch {
					case d > 0 && part.i == part.j: // both of a symmetric pair
						add(part.i, part.j, 2*v*part.v)
					case d == 0 && part.i != part.j: // each half of one
						add(part.i, part.j, v*part.v/2)
					default:
						add(part.i, part.j, v*part.v)
					}
				}
			}
		}
	}
	return out
}

// between is for each position the knot before it and how far it is on its way to
// the next.
func (e *evidence) between(knots []float64) (before []int, share []float64) {
	before, share = make([]int, len(e.pos)), make([]float64, len(e.pos))
	for i, k := 0, 0; i < len(e.pos); i++ {
		for k+2 < len(knots) && e.pos[i] > knots[k+1] {
			k++
		}
		before[i], share[i] = k, (e.pos[i]-knots[k])/(knots[k+1]-knots[k])
	}
	return before, share
}

// A broken line is what a colour map is: straight runs between knots. Fitted
// with as few knots as the evidence asks for, it keeps the kinks of a map and
// averages the noise of whole runs; a smooth map gets more knots.
type brokenLine struct {
	knots  []float64
	values []vec
	left   float64 // of the evidence
}

// fitBrokenLine fits a continuous line. A knot is added while the Bayesian
// information criterion falls.
func fitBrokenLine(e *evidence) brokenLine {
	const (
		most  = 24  // knots
		apart = 4   // px between them
		fine  = 200 // positions to choose from
	)
	e = e.coarser(fine)
	n := len(e.pos)
	criterion := func(l brokenLine) float64 {
		return e.samples*math.Log(max(l.left, 0)/e.samples+e.rounding) + 8*float64(len(l.knots))*math.Log(e.samples)
	}
	best := e.lineOver([]float64{e.pos[0], e.pos[n-1]})
	for len(best.knots) < most {
		better, found := best, false
		for _, p := range e.pos {
			at, exact := slices.BinarySearch(best.knots, p)
			if exact || p-best.knots[at-1] < apart || best.knots[at]-p < apart {
				continue
			}
			if try := e.lineOver(slices.Insert(slices.Clone(best.knots), at, p)); try.left < better.left {
				better, found = try, true
			}
		}
		if !found {
			break
		}
		better = e.settle(better, apart)
		if criterion(better) >= criterion(best) {
			break
		}
		best = better
	}
	return best
}

// step is the distance of positions, px.
func (e *evidence) step() float64 { return e.pos[1] - e.pos[0] }

// settle moves the inner knots by steps while that fits better.
func (e *evidence) settle(l brokenLine, apart float64) brokenLine {
	for range 8 {
		moved := false
		for k := 1; k+1 < len(l.knots); k++ {
			for _, by := range []float64{-e.step(), e.step()} {
				p := l.knots[k] + by
				if p-l.knots[k-1] < apart || l.knots[k+1]-p < apart {
					continue
				}
				knots := slices.Clone(l.knots)
				knots[k] = p
				if try := e.lineOver(knots); try.left < l.left {
					l, moved = try, true
				}
			}
		}
		if !moved {
			break
		}
	}
	return l
}

// lineOver is the line with these knots that leaves least.
func (e *evidence) lineOver(knots []float64) brokenLine {
	l := brokenLine{knots: knots, values: make([]vec, len(knots)), left: e.constant}
	for c := range 3 {
		m, rhs := e.atKnots(knots, c)
		values := slices.Clone(rhs)
		m.solve(values)
		for k, v := range values {
			l.values[k][c] = v
			l.left -= v * rhs[k]
		}
	}
	return l
}

// atKnots is a channel's evidence as a form in the values at knots.
func (e *evidence) atKnots(knots []float64, channel int) (m symmetric, linear []float64) {
	m, linear = newSymmetric(len(knots)), make([]float64, len(knots))
	before, share := e.between(knots)
	for i, couplings := range e.square[channel] {
		k, w := before[i], share[i]
		linear[k] += (1 - w) * e.linear[channel][i]
		linear[k+1] += w * e.linear[channel][i]
		for d, v := range couplings {
			j, u := before[i+d], share[i+d]
			if d > 0 {
				v *= 2
			}
			m.add(k, j, v*(1-w)*(1-u))
			m.add(k, j+1, v*(1-w)*u)
			m.add(k+1, j, v*w*(1-u))
			m.add(k+1, j+1, v*w*u)
		}
	}
	return m, linear
}

// held is the line with the same knots that leaves least among those whose
// colours have no red, green or blue below 0 or above 255: what the evidence says
// badly, that often settles, for a stiffness map keeps two of the three at a
// limit along most of its way.
func (e *evidence) held(l brokenLine) brokenLine {
	const rounds = 20
	n := len(l.knots)
	var forms [3]symmetric
	var linear [3][]float64
	for c := range forms {
		forms[c], linear[c] = e.atKnots(l.knots, c)
	}
	limits := make(limits, n)
	for range rounds {
		if !limits.settle(l.values) {
			break
		}
		m, values := newSymmetric(3*n), make([]float64, 3*n)
		for c, form := range forms {
			for k := range n {
				copy(m.lower[(c*n+k)*3*n+c*n:], form.lower[k*n:k*n+k+1])
			}
			copy(values[c*n:], linear[c])
		}
		limits.pull(m, values)
		if !m.solve(values) {
			break
		}
		l.values = make([]vec, n)
		for k := range n {
			l.values[k] = vec{values[k], values[n+k], values[2*n+k]}
		}
	}
	return l
}

// limits says which of each knot's red, green and blue are held, and where.
type limits [][3]struct {
	held  bool
	level float64
}

// settle holds what is beyond a limit and lets go what came back from one; false
// when there is neither.
func (l limits) settle(values []vec) (changed bool) {
	const slack = 0.05 // levels
	for k, v := range values {
		for p, level := range fromYCbCr(v) {
			limit := &l[k][p]
			was := *limit
			switch {
			case !limit.held:
				limit.held = level < -slack || level > 255+slack
				limit.level = min(max(math.Round(level/255), 0), 1) * 255
			case limit.level == 0:
				limit.held = level <= slack
			default:
				limit.held = level >= 255-slack
			}
			changed = changed || limit.held != was.held
		}
	}
	return changed
}

// pull adds to a form in all channels' values, channel by channel, what holds
// primaries at their limits.
func (l limits) pull(m symmetric, linear []float64) {
	const stiff = 1e4
	n := len(l)
	for k, knot := range l {
		for p, limit := range knot {
			if !limit.held {
				continue
			}
			row := primaries[p]
			for c, v := range row {
				linear[c*n+k] += stiff * v * (limit.level + row.dot(noColour))
				for d, w := range row {
					m.add(c*n+k, d*n+k, stiff*v*w)
				}
			}
		}
	}
}

// at is the line's colour, extended straight beyond its ends.
func (l brokenLine) at(p float64) vec {
	k := 0
	for k+2 < len(l.knots) && p > l.knots[k+1] {
		k++
	}
	return mix(l.values[k], l.values[k+1], (p-l.knots[k])/(l.knots[k+1]-l.knots[k]))
}
