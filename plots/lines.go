package plots

import (
	"errors"
	"fmt"
	"image/color"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// LineSeries is a curve, or a cloud of points, in a LinePanel.
type LineSeries struct {
	Name      string
	X, Y      []float64 // NaN breaks the curve
	Low, High []float64 // a band around Y; optional
	Points    bool      // draw points, not a line
	Reference bool      // theory or ideal: thin, black and dashed
}

// LinePanel is one pair of axes.
type LinePanel struct {
	Title, XLabel, YLabel  string // the labels with their units
	Series                 []LineSeries
	LogY                   bool
	XMin, XMax, YMin, YMax float64 // both ends 0 takes them from the data
	Note                   string  // a line within the axes, such as the numbers that go with the curves
}

func (l LinePanel) validate() error {
	if l.XLabel == "" || l.YLabel == "" {
		return errors.New("XLabel, YLabel: name both axes, with their units")
	}
	if len(l.Series) == 0 {
		return errors.New("Series: none given")
	}
	drawn := false
	for i, s := range l.Series {
		if len(s.X) != len(s.Y) {
			return fmt.Errorf("Series[%d] (%s): %d values of Y beside %d of X", i, s.Name, len(s.Y), len(s.X))
		}
		if len(s.Low) != len(s.High) || (len(s.Low) != 0 && len(s.Low) != len(s.X)) {
			return fmt.Errorf("Series[%d] (%s): a band of %d and %d values around %d points", i, s.Name, len(s.Low), len(s.High), len(s.X))
		}
		for k := range s.X {
			drawn = drawn || finite(s.X[k]) && finite(s.Y[k]) && (!l.LogY || s.Y[k] > 0)
		}
	}
	if !drawn {
		return errors.New("Series: no finite point")
	}
	if !finite(l.XMin) || !finite(l.XMax) || !finite(l.YMin) || !finite(l.YMax) || l.XMax < l.XMin || l.YMax < l.YMin {
		return fmt.Errorf("XMin %v, XMax %v, YMin %v, YMax %v are no axes", l.XMin, l.XMax, l.YMin, l.YMax)
	}
	if l.LogY && l.YMin < 0 {
		return fmt.Errorf("YMin %v on a logarithmic axis", l.YMin)
	}
	return nil
}

// Lines draws panels of curves from left to right, up to three in a line: for the validation of the phantom (point-spread function, speckle statistics,
// inclusion contrast), the calibration of uncertainty, and whatever else is a curve.
func Lines(panels []LinePanel, st Style) (*Figure, error) { return lines("Lines", panels, st) }

func lines(name string, panels []LinePanel, st Style) (*Figure, error) {
	if err := st.validate(); err != nil {
		return nil, refuse(name, err)
	}
	if len(panels) == 0 {
		return nil, refuse(name, errors.New("panels: none given"))
	}
	var words []string
	for i, l := range panels {
		if err := l.validate(); err != nil {
			return nil, refuse(name, fmt.Errorf("panels[%d] (%s): %w", i, l.Title, err))
		}
		what := strings.TrimPrefix(fmt.Sprintf("%s: %s against %s. %s", l.Title, l.YLabel, l.XLabel, l.Note), ": ") // a single panel has no title
		words = append(words, strings.TrimSpace(what))
	}
	columns := min(3, len(panels))
	rows := (len(panels) + columns - 1) / columns
	figureMM := []float64{0, singleColumnMM, 130, doubleColumnMM}[columns]
	const left, right, gap, headMM, footMM, heightMM = 13.0, 3.0, 15.0, 5.5, 10.5, 40.0
	width := (figureMM - left - right - gap*float64(columns-1)) / float64(columns)
	keyMM := 0.0
	for _, l := range panels {
		keyMM = math.Max(keyMM, keyRowMM*float64(len(l.entries())))
	}
	rowMM := headMM + heightMM + footMM + keyMM
	paint := func(p page) {
		for i, l := range panels {
			x, y := left+float64(i%columns)*(width+gap), float64(i/columns)*rowMM
			if len(panels) > 1 {
				p.write(titlePen, x-left+2, y+3.6, baseLeft, string(rune('a'+i)))
			}
			p.writeWithin(labelPen, x, y+3.6, baseLeft, l.Title, width+2)
			p.linePanel(l, p.rect(x, y+headMM, width, heightMM))
			for k, e := range l.entries() {
				p.legend(x, y+headMM+heightMM+footMM+keyRowMM*float64(k), width, []entry{e})
			}
		}
	}
	return newFigure(name, figureMM, rowMM*float64(rows), st, strings.Join(words, " "), paint), nil
}

// look is how the k-th series of a panel is drawn.
func (l LinePanel) look(k int) (draw.LineStyle, draw.GlyphStyle) {
	n := 0
	for _, s := range l.Series[:k] {
		if !s.Reference {
			n++
		}
	}
	c := series[n%len(series)]
	line := solid(c, 1.1)
	line.Dashes = dashing[n%len(dashing)]
	if l.Series[k].Reference {
		line = dashed(ink, 0.7, 3, 2)
		c = ink
	}
	return line, draw.GlyphStyle{Color: c, Radius: 1.6, Shape: glyphs[n%len(glyphs)]}
}

func (l LinePanel) entries() []entry {
	var entries []entry
	for k, s := range l.Series {
		if s.Name == "" {
			continue
		}
		line, glyph := l.look(k)
		e := entry{text: s.Name, line: &line}
		if s.Points {
			e = entry{text: s.Name, glyph: &glyph}
		}
		entries = append(entries, e)
	}
	return entries
}

func (p page) linePanel(l LinePanel, area vg.Rectangle) {
	xs, ys := newLimits(), newLimits()
	usable := func(y float64) bool { return finite(y) && (!l.LogY || y > 0) }
	for _, s := range l.Series {
		for k := range s.X {
			if usable(s.Y[k]) {
				xs.add(s.X[k])
				ys.add(s.Y[k])
			}
			if len(s.Low) > 0 && usable(s.Low[k]) && usable(s.High[k]) {
				ys.add(s.Low[k], s.High[k])
			}
		}
	}
	axes := newAxes(l.XLabel, l.YLabel)
	axes.Y.Tick.Marker = steps{5}
	axes.X.Min, axes.X.Max = xs.lo, xs.hi
	axes.Y.Min, axes.Y.Max = ys.lo, ys.hi
	if ys.lo >= 0 && ys.lo < 0.5*ys.hi {
		axes.Y.Min = 0
	}
	if room := 0.04 * (axes.Y.Max - axes.Y.Min); !l.LogY {
		axes.Y.Max += room
		if axes.Y.Min < 0 {
			axes.Y.Min -= room
		}
	}
	if l.XMin != 0 || l.XMax != 0 {
		axes.X.Min, axes.X.Max = l.XMin, l.XMax
	}
	if l.YMin != 0 || l.YMax != 0 {
		axes.Y.Min, axes.Y.Max = l.YMin, l.YMax
	}
	if l.LogY {
		if !(axes.Y.Min > 0) {
			axes.Y.Min = ys.lo
		}
		if axes.Y.Max <= axes.Y.Min {
			axes.Y.Max = 10 * axes.Y.Min
		}
		axes.Y.Scale = plot.LogScale{}
		axes.Y.Tick.Marker = decades{}
	}
	if axes.Y.Max == axes.Y.Min {
		axes.Y.Min, axes.Y.Max = axes.Y.Min-1, axes.Y.Max+1
	}
	if axes.X.Max == axes.X.Min {
		axes.X.Min, axes.X.Max = axes.X.Min-1, axes.X.Max+1
	}
	axes.X.Tick.Marker = stepsAlong(axes.X.Min, axes.X.Max, float64((area.Max.X-area.Min.X)/vg.Millimeter))
	axes.Add(grid{y: true}, marks(func(c draw.Canvas, x, y func(float64) vg.Length) {
		safeY := func(v float64) vg.Length {
			if !usable(v) {
				return vg.Length(math.NaN())
			}
			return y(v)
		}
		for k, s := range l.Series {
			line, _ := l.look(k)
			band(c, line.Color, s, x, safeY)
		}
		for k, s := range l.Series {
			line, glyph := l.look(k)
			var pts []vg.Point
			for i := range s.X {
				pt := vg.Point{X: x(s.X[i]), Y: safeY(s.Y[i])}
				pts = append(pts, pt)
				if s.Points && finite(float64(pt.X)) && finite(float64(pt.Y)) {
					c.DrawGlyph(glyph, pt)
				}
			}
			if !s.Points {
				polyline(c, line, pts)
			}
		}
		notePen.write(c, vg.Point{X: c.Max.X - 2, Y: c.Max.Y - 3}, anchor{1, 1}, l.Note)
	}))
	p.place(axes, area)
}

// band fills between Low and High, a faint shade of the curve.
func band(c draw.Canvas, tint color.Color, s LineSeries, x, y func(float64) vg.Length) {
	if len(s.Low) == 0 {
		return
	}
	var upper, lower []vg.Point
	for i := range s.X {
		high, low := vg.Point{X: x(s.X[i]), Y: y(s.High[i])}, vg.Point{X: x(s.X[i]), Y: y(s.Low[i])}
		if finite(float64(high.X)) && finite(float64(high.Y)) && finite(float64(low.Y)) {
			upper, lower = append(upper, high), append(lower, low)
		}
	}
	for i := len(lower) - 1; i >= 0; i-- {
		upper = append(upper, lower[i])
	}
	shade := color.NRGBAModel.Convert(tint).(color.NRGBA)
	shade.A = 0x38
	c.FillPolygon(shade, c.ClipPolygonXY(upper))
}
