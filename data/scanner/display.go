package scanner

import "math"

// meanRayleigh is the mean envelope of speckle with unit mean square.
const meanRayleigh = 0.886226925452758

// display compresses the envelope and converts it to the medium's grid.
func (s Scanner) display(g polarGrid, m *Medium, ex Exam, envelope []float32) *BMode {
	grey := s.compress(g, ex, envelope)
	out := &BMode{Height: m.Height, Width: m.Width, MMPerPx: m.MMPerPx,
		Pix: make([]uint8, m.Height*m.Width), Inside: make([]bool, m.Height*m.Width)}
	limit := min(s.FieldOfViewDeg/2*math.Pi/180, -g.firstRad)
	parallelRows(m.Height, func(lo, hi int) {
		for row := lo; row < hi; row++ {
			for col := range m.Width {
				z, x := m.point(row, col)
				depth, rad := g.polar(z, x)
				if depth < 0 || depth > ex.DepthMM || math.Abs(rad) > limit {
					continue
				}
				u, v := depth/g.stepMM, (rad-g.firstRad)/g.stepRad
				i, j := min(int(u), g.rows-2), min(int(v), g.lines-2)
				fu, fv := float32(u-float64(i)), float32(v-float64(j))
				a, b := grey[i*g.lines+j:], grey[(i+1)*g.lines+j:]
				top, bottom := a[0]+fv*(a[1]-a[0]), b[0]+fv*(b[1]-b[0])
				p := row*m.Width + col
				out.Pix[p] = uint8(s.greyMap(top+fu*(bottom-top))*255 + 0.5)
				out.Inside[p] = true
			}
		}
	})
	return out
}

// compress takes the logarithm: 0 at the bottom of the dynamic range, 1 at the top.
// A short axial video filter first, since pixels are coarser than samples.
func (s Scanner) compress(g polarGrid, ex Exam, envelope []float32) []float32 {
	grey := make([]float32, len(envelope))
	parallelRows(g.rows, func(lo, hi int) {
		for row := lo; row < hi; row++ {
			above, below := max(row-1, 0)*g.lines, min(row+1, g.rows-1)*g.lines
			for line := range g.lines {
				v := 0.25*envelope[above+line] + 0.5*envelope[row*g.lines+line] + 0.25*envelope[below+line]
				db := 20*math.Log10(float64(v)/meanRayleigh+1e-9) + ex.GainDB
				grey[row*g.lines+line] = float32(min(max(s.ReferenceGrey+db/ex.DynamicRangeDB, 0), 1))
			}
		}
	})
	return grey
}

// greyMap bends 0..1 into an S by GreyCurve; 0 leaves it linear.
func (s Scanner) greyMap(v float32) float32 {
	c := float32(s.GreyCurve)
	return (1-c)*v + c*v*v*(3-2*v)
}
