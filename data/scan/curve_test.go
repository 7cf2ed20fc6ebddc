package scan

import (
	"math"
	"testing"
)

// correlated is evidence of a bend at 300 px of 500, with noise that neighbours
// share.
func correlated() (*evidence, func(float64) vec) {
	bend := func(p float64) vec { return vec{p / 4, math.Abs(p-300) / 2, 100} }
	rng := stream("correlated")
	e := &evidence{samples: 1500}
	const n = 500
	for i := range n {
		e.pos = append(e.pos, float64(i)+0.5)
	}
	for c := range 3 {
		e.square[c], e.linear[c] = make([][]float64, n), make([]float64, n)
		u := make([]float64, n)
		for i, p := range e.pos {
			u[i] = bend(p)[c] + 0.5*rng.NormFloat64()
			e.square[c][i] = []float64{2, -0.6, 0.1}[:min(3, n-i)]
		}
		// the form whose least is at u
		for i, couplings := range e.square[c] {
			for d, a := range couplings {
				e.linear[c][i] += a * u[i+d]
				e.constant += a * u[i] * u[i+d]
				if d > 0 {
					e.linear[c][i+d] += a * u[i]
					e.constant += a * u[i] * u[i+d]
				}
			}
		}
	}
	return e, bend
}

func TestALineFindsTheBendOfALongBar(t *testing.T) {
	e, bend := correlated()
	l := fitBrokenLine(e)
	if len(l.knots) > 5 {
		t.Errorf("%d knots for one bend", len(l.knots))
	}
	for p := 20.0; p < 480; p += 20 {
		if off := l.at(p).sub(bend(p)).norm(); off > 0.7 {
			t.Errorf("at %g px the colour is %.2f levels off", p, off)
		}
	}
}

// Told about fewer positions, the evidence says the same of any line between them.
func TestCoarserEvidenceIsTheSameEvidence(t *testing.T) {
	e, _ := correlated()
	c := e.coarser(100)
	if len(c.pos) != 100 {
		t.Fatalf("%d positions", len(c.pos))
	}
	for _, knots := range [][]float64{{c.pos[0], c.pos[99]}, {c.pos[0], c.pos[17], c.pos[60], c.pos[61], c.pos[99]}} {
		a, b := e.lineOver(knots), c.lineOver(knots)
		if math.Abs(a.left/b.left-1) > 1e-6 {
			t.Errorf("%d knots leave %g and %g", len(knots), a.left, b.left)
		}
		for k := range knots {
			if a.values[k].sub(b.values[k]).norm() > 1e-6 {
				t.Errorf("knot %d is %v and %v", k, a.values[k], b.values[k])
			}
		}
	}
}

// A primary that the evidence puts beyond its range is held at its end, and the
// others follow.
func TestPrimariesAreHeldInTheirRange(t *testing.T) {
	colours := []vec{{20, 255, 110}, {30, 250, 90}} // Y, Cb, Cr: red and green below 0
	e := seen([]float64{0.5, 1.5}, colours)
	l := e.held(e.lineOver(e.pos))
	for k, v := range l.values {
		for p, level := range fromYCbCr(v) {
			if level < -0.1 || level > 255.1 {
				t.Errorf("knot %d: primary %d is %.2f", k, p, level)
			}
		}
		if off := v.sub(colours[k]).norm(); off < 1 || off > 40 {
			t.Errorf("knot %d is %.1f from what was seen", k, off)
		}
	}
}
