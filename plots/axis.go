package plots

import (
	"fmt"
	"image/color"
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// steps marks an axis at multiples of 1, 2, 2.5 or 5 times a power of ten, about as many as asked for.
type steps struct{ about int }

// Ticks implements plot.Ticker.
func (s steps) Ticks(lo, hi float64) []plot.Tick {
	step, decimals := niceStep(hi-lo, s.about)
	if step == 0 {
		return nil
	}
	var ticks []plot.Tick
	first := math.Ceil(lo/step - 1e-9)
	for i := range 4*s.about + 4 { // counted, for far from zero a step may be lost in rounding
		v := (first + float64(i)) * step
		if v > hi+1e-9*step {
			break
		}
		ticks = append(ticks, plot.Tick{Value: v, Label: number(v, decimals)})
	}
	return ticks
}

func niceStep(span float64, about int) (step float64, decimals int) {
	if !(span > 0) || !finite(span) {
		return 0, 0
	}
	raw := span / float64(max(1, about))
	power := math.Floor(math.Log10(raw))
	for _, m := range []float64{1, 2, 2.5, 5, 10} {
		step = m * math.Pow(10, power)
		if step >= raw*(1-1e-9) {
			decimals = max(0, -int(power))
			switch m {
			case 2.5:
				decimals = max(0, 1-int(power))
			case 10:
				decimals = max(0, -int(power)-1)
			}
			return step, decimals
		}
	}
	return step, decimals
}

// stepsAlong are the marks of a horizontal axis of the given length: at most one for each 8 mm, two at the least, and no closer than their numbers allow.
func stepsAlong(lo, hi, lengthMM float64) steps {
	s := steps{max(2, int(lengthMM/8))}
	for s.about < 8 && len(s.Ticks(lo, hi)) < 2 {
		s.about++
	}
	for s.about > 2 {
		used := 0.0
		ticks := s.Ticks(lo, hi)
		for _, t := range ticks {
			used += tickPen.widthMM(t.Label) + 2
		}
		if used < lengthMM+4 {
			break
		}
		if fewer := (steps{s.about - 1}); len(fewer.Ticks(lo, hi)) < 2 {
			break
		}
		s.about--
	}
	return s
}

// whole marks an axis of whole numbers.
type whole struct{ about int }

// Ticks implements plot.Ticker.
func (w whole) Ticks(lo, hi float64) []plot.Tick {
	var ticks []plot.Tick
	for _, t := range (steps{w.about}).Ticks(lo, hi) {
		if t.Value == math.Round(t.Value) {
			ticks = append(ticks, plot.Tick{Value: t.Value, Label: number(t.Value, 0)})
		}
	}
	return ticks
}

// decades marks a logarithmic axis at powers of ten, with small marks between.
type decades struct{}

// Ticks implements plot.Ticker.
func (decades) Ticks(lo, hi float64) []plot.Tick {
	first, last := math.Floor(math.Log10(lo)), math.Ceil(math.Log10(hi))
	every := math.Ceil((last - first) / 6)
	var ticks []plot.Tick
	for e := first; e <= last; e++ {
		for m := 1.0; m < 10; m++ {
			v := m * math.Pow(10, e)
			if v < lo*(1-1e-9) || v > hi*(1+1e-9) {
				continue
			}
			if labelled := m == 1 && math.Mod(e-first, math.Max(1, every)) == 0; labelled {
				ticks = append(ticks, plot.Tick{Value: v, Label: powerOfTen(int(e))})
			} else if every <= 1 {
				ticks = append(ticks, plot.Tick{Value: v})
			}
		}
	}
	return ticks
}

func powerOfTen(e int) string {
	switch {
	case e >= 0 && e <= 6:
		return count(int(math.Pow(10, float64(e))))
	case e < 0 && e >= -3:
		return number(math.Pow(10, float64(e)), -e)
	}
	return strings.Replace(fmt.Sprintf("1e%d", e), "-", "−", 1)
}

// number writes v with a true minus sign, and never "-0".
func number(v float64, decimals int) string {
	s := strconv.FormatFloat(v, 'f', decimals, 64)
	if strings.Trim(s, "-0.") == "" {
		s = strings.TrimPrefix(s, "-")
	}
	return strings.Replace(s, "-", "−", 1)
}

func signed(v float64, decimals int) string {
	s := number(v, decimals)
	if v > 0 && strings.Trim(s, "0.") != "" {
		return "+" + s
	}
	return s
}

// count writes n with thin groups of thousands.
func count(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// percentWords writes a share, never as "0.0 %" where there is some.
func percentWords(share float64) string {
	if share > 0 && share < 0.0005 {
		return "< 0.1 %"
	}
	return number(100*share, 1) + " %"
}

// roundUp returns the next comfortable end of a scale at or above v > 0.
func roundUp(v float64) float64 {
	if !(v > 0) {
		return 1
	}
	step, _ := niceStep(v, 8)
	return step * math.Ceil(v/step-1e-9)
}

// axisEnd returns the first mark at or above v > 0 on an axis from 0 with about so many steps, so that the axis ends at a number.
func axisEnd(v float64, about int) float64 {
	step, _ := niceStep(v, about)
	if step == 0 {
		return 1
	}
	return step * math.Ceil(v/step-1e-9)
}

// grid draws faint lines at the labelled marks of an axis, but for the one on which the other axis lies.
type grid struct{ x, y bool }

// Plot implements plot.Plotter.
func (g grid) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	if g.y {
		for _, t := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
			if y := trY(t.Value); !t.IsMinor() && y > c.Min.Y+0.5 && c.ContainsY(y) {
				c.StrokeLine2(solid(gridInk, 0.4), c.Min.X, y, c.Max.X, y)
			}
		}
	}
	if g.x {
		for _, t := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
			if x := trX(t.Value); !t.IsMinor() && x > c.Min.X+0.5 && c.ContainsX(x) {
				c.StrokeLine2(solid(gridInk, 0.4), x, c.Min.Y, x, c.Max.Y)
			}
		}
	}
}

// limits is the range of the finite values among those added.
type limits struct{ lo, hi float64 }

func newLimits() limits { return limits{math.Inf(1), math.Inf(-1)} }

func (l *limits) add(values ...float64) {
	for _, v := range values {
		if finite(v) {
			l.lo, l.hi = math.Min(l.lo, v), math.Max(l.hi, v)
		}
	}
}

func (l limits) empty() bool { return l.lo > l.hi }

// marks is a plotter from a function: the figures draw most of what they hold directly in data coordinates.
type marks func(c draw.Canvas, x, y func(float64) vg.Length)

// Plot implements plot.Plotter.
func (m marks) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	m(c, x, y)
}

// polyline draws through the finite points, breaking at the others, cut off at the edges of the data area.
func polyline(c draw.Canvas, sty draw.LineStyle, pts []vg.Point) {
	var run []vg.Point
	flush := func() {
		if len(run) > 1 {
			c.StrokeLines(sty, c.ClipLinesXY(run)...)
		}
		run = nil
	}
	for _, pt := range pts {
		if !finite(float64(pt.X)) || !finite(float64(pt.Y)) {
			flush()
			continue
		}
		run = append(run, pt)
	}
	flush()
}

// entry is a line of a legend.
type entry struct {
	text  string
	line  *draw.LineStyle
	glyph *draw.GlyphStyle
	fill  color.Color
}

// legend writes entries in a row from (x, y) on, wrapping at widthMM, and returns the height it took in mm. The y is the middle of the first row.
func (p page) legend(xMM, yMM, widthMM float64, entries []entry) float64 {
	const swatch, gap, rowHeight = 5.0, 1.2, 3.6
	x, y := xMM, yMM
	for _, e := range entries {
		t, text := tickPen.within(math.Max(20, widthMM-swatch-gap), e.text)
		need := swatch + gap + t.widthMM(text)
		if x > xMM && x+need > xMM+widthMM {
			x, y = xMM, y+rowHeight
		}
		if e.fill != nil {
			p.SetColor(e.fill)
			p.Fill(p.rect(x+0.5, y-1.1, swatch-1, 2.2).Path())
		}
		if e.line != nil {
			p.line(*e.line, x, y, x+swatch, y)
		}
		if e.glyph != nil {
			p.DrawGlyphNoClip(*e.glyph, p.point(x+swatch/2, y))
		}
		p.write(t, x+swatch+gap, y, middleLeft, text)
		x += need + 4
	}
	return y - yMM + rowHeight
}
