package scan

import (
	"image"
	"math"
)

// contrastOpacity is the opacity by what is left of the B-mode under the
// overlay: its speckle has 1-a of the plain view's contrast. Where a JPEG has
// blurred the colours, whose strength is opacity and stiffness at once, the
// speckle, coded at full resolution, still tells. tint is the brightness that
// the colours themselves add to each site, rows of width, NaN where the overlay
// shows none; it is taken off first. The second value is the standard error.
//
// Only places whose whole neighbourhood is under the overlay count: at a gap the
// bare grey beside the covered one is a contrast of its own, and gaps lie where
// the B-mode is dark or bright.
//
// Noise and a shift by a part of a pixel weaken the slope. By how much is seen
// around the box, where the two views show the same and the slope should be 1.
func (s *sight) contrastOpacity(sites []site, width int, tint []float64, view, box image.Rectangle, shift image.Point) (opacity, standardError float64) {
	light := make([]float64, s.w*s.h)
	for i := range light {
		light[i] = brightness(s.at(i%s.w, i/s.w))
	}
	covered := make([]float64, len(sites)) // 1 or 0
	for k, st := range sites {
		if !math.IsNaN(tint[k]) {
			light[st.y*s.w+st.x] -= tint[k]
			covered[k] = 1
		}
	}
	sums := newSumTable(light, s.w, s.h)
	height := len(sites) / width
	coverage := newSumTable(covered, width, height)
	var within, around moments
	inner := image.Rect(0, 0, width, height).Inset(speckleCoarse)
	for k, st := range sites {
		if x, y := k%width, k/width; image.Pt(x, y).In(inner) && coverage.mean(x, y, speckleCoarse) > 1-1e-9 {
			within.add(sums.speckle(st.x, st.y), sums.speckle(st.x+shift.X, st.y+shift.Y))
		}
	}
	hole := box.Inset(-speckleCoarse - outlineReach)
	for y := view.Min.Y; y < view.Max.Y; y++ {
		for x := view.Min.X; x < view.Max.X; x++ {
			p := image.Pt(x, y)
			if q := p.Add(shift); !p.In(hole) && sums.holds(p) && sums.holds(q) {
				around.add(sums.speckle(p.X, p.Y), sums.speckle(q.X, q.Y))
			}
		}
	}
	const (
		enough  = 400 // sites
		alike   = 0.7 // slope around the box from which the views are the same picture
		visible = 4   // levels squared of speckle
	)
	if within.n < enough || around.n < enough || around.ab < alike*around.bb || within.bb < visible*within.n {
		return 0, math.Inf(1) // too little texture to tell
	}
	weakened := around.ab / around.bb
	slope := within.ab / within.bb
	left := within.aa - 2*slope*within.ab + slope*slope*within.bb
	independent := within.n / ((2*speckleFine + 1) * (2*speckleFine + 1))
	return 1 - slope/weakened, math.Sqrt(max(left, 0)/within.bb/independent) / weakened
}

// Speckle is what a mean over 3 x 3 px shows beyond a mean over 9 x 9.
const (
	speckleFine   = 1
	speckleCoarse = 4
	outlineReach  = 6 // px around the box that its outline's colour may reach
)

// moments are sums over pairs of values of zero mean.
type moments struct{ n, aa, bb, ab float64 }

func (m *moments) add(a, b float64) {
	m.n, m.aa, m.bb, m.ab = m.n+1, m.aa+a*a, m.bb+b*b, m.ab+a*b
}

// brightness is BT.601's, as a JPEG codes it.
func brightness(c vec) float64 { return 0.299*c[0] + 0.587*c[1] + 0.114*c[2] }

// sumTable answers sums over rectangles of a picture.
type sumTable struct {
	sum  []float64 // [h+1, w+1] of all pixels above and to the left
	w, h int
}

func newSumTable(values []float64, w, h int) sumTable {
	t := sumTable{make([]float64, (w+1)*(h+1)), w, h}
	for y := range h {
		row := 0.0
		for x := range w {
			row += values[y*w+x]
			t.sum[(y+1)*(w+1)+x+1] = t.sum[y*(w+1)+x+1] + row
		}
	}
	return t
}

// holds tells whether the speckle at p is known.
func (t sumTable) holds(p image.Point) bool {
	return p.In(image.Rect(0, 0, t.w, t.h).Inset(speckleCoarse))
}

// over is the sum over a rectangle, half open.
func (t sumTable) over(x0, y0, x1, y1 int) float64 {
	at := func(x, y int) float64 { return t.sum[y*(t.w+1)+x] }
	return at(x1, y1) - at(x0, y1) - at(x1, y0) + at(x0, y0)
}

func (t sumTable) mean(x, y, reach int) float64 {
	side := float64(2*reach + 1)
	return t.over(x-reach, y-reach, x+reach+1, y+reach+1) / (side * side)
}

func (t sumTable) speckle(x, y int) float64 {
	return t.mean(x, y, speckleFine) - t.mean(x, y, speckleCoarse)
}
