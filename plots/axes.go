package plots

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// axes is a plot whose data area the figure places to the point. The library sizes a plot from outside inwards, so that panels of one row would differ
// with their labels, and a label longer than its axis would throw the axis off the page; here scales, marks and plotters are the library's and the layout is ours.
type axes struct {
	*plot.Plot
	layers []plot.Plotter
	bare   bool // no axis lines: a frame or nothing serves
}

func newAxes(xLabel, yLabel string) *axes {
	a := &axes{Plot: plot.New()}
	a.X.Label.Text, a.Y.Label.Text = xLabel, yLabel
	return a
}

// Add puts plotters on top; limits are the figure's to set.
func (a *axes) Add(layers ...plot.Plotter) { a.layers = append(a.layers, layers...) }

const (
	tickLength = 2.2 // points
	labelGap   = 1.6 // points, between tick, number and label
)

// place draws axes with the given rectangle as data area, and marks, numbers and labels outside it.
func (p page) place(a *axes, data vg.Rectangle) {
	c := draw.Canvas{Canvas: p.Canvas.Canvas, Rectangle: data}
	line := solid(ink, hairline)
	width := float64((data.Max.X - data.Min.X) / vg.Millimeter)
	height := float64((data.Max.Y - data.Min.Y) / vg.Millimeter)

	below := data.Min.Y
	for _, t := range a.X.Tick.Marker.Ticks(a.X.Min, a.X.Max) {
		x := c.X(a.X.Norm(t.Value))
		if !c.ContainsX(x) {
			continue
		}
		length := tickOf(t)
		c.StrokeLine2(line, x, data.Min.Y, x, data.Min.Y-length)
		if t.IsMinor() {
			continue
		}
		tickPen.write(c, vg.Point{X: x, Y: data.Min.Y - tickLength - labelGap}, topCentre, t.Label)
		below = data.Min.Y - tickLength - labelGap - tickSize
	}
	text, label := labelPen.within(width+8, a.X.Label.Text)
	text.write(c, vg.Point{X: (data.Min.X + data.Max.X) / 2, Y: below - labelGap}, topCentre, label)

	widest := 0.0
	for _, t := range a.Y.Tick.Marker.Ticks(a.Y.Min, a.Y.Max) {
		y := c.Y(a.Y.Norm(t.Value))
		if !c.ContainsY(y) {
			continue
		}
		c.StrokeLine2(line, data.Min.X, y, data.Min.X-tickOf(t), y)
		tickPen.write(c, vg.Point{X: data.Min.X - tickLength - labelGap, Y: y}, middleRight, t.Label)
		widest = max(widest, tickPen.widthMM(t.Label))
	}
	if a.Y.Label.Text != "" {
		text, label := labelPen.within(max(height+4, 10), a.Y.Label.Text)
		left := data.Min.X - tickLength - labelGap - mm(widest) - 1.6*labelGap - labelSize/2
		p.writeUpAt(text, vg.Point{X: left, Y: (data.Min.Y + data.Max.Y) / 2}, label)
	}

	if !a.bare {
		c.StrokeLine2(line, data.Min.X, data.Min.Y, data.Max.X, data.Min.Y)
		c.StrokeLine2(line, data.Min.X, data.Min.Y, data.Min.X, data.Max.Y)
	}
	for _, l := range a.layers {
		l.Plot(c, a.Plot)
	}
}

func tickOf(t plot.Tick) vg.Length {
	if t.IsMinor() {
		return tickLength / 2
	}
	return tickLength
}
