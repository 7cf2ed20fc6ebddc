package plots

import (
	"image"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// scale is a colour map with its range and unit; below and above say that values lie beyond an end.
type scale struct {
	cmap         colormap
	lo, hi       float64
	label        string // quantity and unit
	below, above bool
}

// clips notes which ends of the scale the fields pass.
func (s *scale) clips(fields ...Map) {
	l := span(fields...)
	s.below = s.below || l.lo < s.lo-1e-9
	s.above = s.above || l.hi > s.hi+1e-9
}

// tile is an image in axes of mm: depth downwards, lateral to the right.
type tile struct {
	picture           image.Image
	widthMM, heightMM float64 // of the imaged plane
	title             string
	outline           []uint8
	rows, cols        int // grid of the outline
	depthLabels       bool
	lateralLabels     bool
}

// drawTile draws t into area, whose aspect the caller has made that of the plane.
func (p page) drawTile(t tile, area vg.Rectangle) {
	p.DrawImage(area, t.picture)
	if t.outline != nil {
		p.drawOutlines(t.outline, t.rows, t.cols, area)
	}
	axes := newAxes("", "")
	axes.bare = true // the frame serves
	axes.X.Min, axes.X.Max = 0, t.widthMM
	axes.Y.Min, axes.Y.Max = 0, t.heightMM
	axes.Y.Scale = plot.InvertedScale{Normalizer: plot.LinearScale{}}
	wide := float64((area.Max.X - area.Min.X) / vg.Millimeter)
	high := float64((area.Max.Y - area.Min.Y) / vg.Millimeter)
	axes.X.Tick.Marker = stepsAlong(0, t.widthMM, wide)
	axes.Y.Tick.Marker = stepsAlong(0, t.heightMM, high)
	if t.lateralLabels {
		axes.X.Label.Text = "Lateral (mm)"
	} else {
		axes.X.Tick.Marker = unlabelled{axes.X.Tick.Marker}
	}
	if t.depthLabels {
		axes.Y.Label.Text = "Depth (mm)"
	} else {
		axes.Y.Tick.Marker = unlabelled{axes.Y.Tick.Marker}
	}
	axes.Add(marks(func(c draw.Canvas, _, _ func(float64) vg.Length) {
		c.SetLineStyle(solid(ink, hairline))
		c.Stroke(area.Path())
	}))
	p.place(axes, area)
}

// unlabelled keeps the marks of an axis and drops their numbers: those of the neighbouring panel serve.
type unlabelled struct{ plot.Ticker }

// Ticks implements plot.Ticker.
func (u unlabelled) Ticks(lo, hi float64) []plot.Tick {
	ticks := u.Ticker.Ticks(lo, hi)
	for i := range ticks {
		ticks[i].Label = " "
	}
	return ticks
}

// picture is the colour bar as an image, from the low end at the left, or at the bottom.
func (s scale) picture(vertical bool) image.Image {
	const shades = 256
	bar := Map{Height: 1, Width: shades, Values: make([]float32, shades)}
	if vertical {
		bar.Height, bar.Width = shades, 1
	}
	for i := range shades {
		at := i
		if vertical {
			at = shades - 1 - i
		}
		bar.Values[at] = float32(i) / (shades - 1)
	}
	return bar.picture(s.cmap, 0, 1)
}

// barBelow draws a horizontal colour bar within the width of area, with room for the arrow heads, and with marks and label under it; an arrow head at an end says that values go on beyond it.
func (p page) barBelow(s scale, area vg.Rectangle) {
	tip := 0.7 * (area.Max.Y - area.Min.Y)
	area.Min.X, area.Max.X = area.Min.X+tip, area.Max.X-tip
	length := float64((area.Max.X - area.Min.X) / vg.Millimeter)
	marksAt := stepsAlong(s.lo, s.hi, length)
	for marksAt.about < 8 && len(marksAt.Ticks(s.lo, s.hi)) < 3 {
		marksAt.about++
	}
	p.DrawImage(area, s.picture(false))
	axes := newAxes(s.label, "")
	axes.X.Min, axes.X.Max = s.lo, s.hi
	axes.X.Tick.Marker = marksAt
	axes.Y.Min, axes.Y.Max = 0, 1
	axes.Y.Tick.Marker = plot.ConstantTicks(nil)
	axes.bare = true
	axes.Add(marks(func(c draw.Canvas, _, _ func(float64) vg.Length) {
		c.SetLineStyle(solid(ink, hairline))
		c.Stroke(area.Path())
		middle := (area.Min.Y + area.Max.Y) / 2
		if s.below {
			p.arrowHead(s.cmap, 0, vg.Point{X: area.Min.X - tip, Y: middle}, vg.Point{X: area.Min.X, Y: area.Min.Y}, vg.Point{X: area.Min.X, Y: area.Max.Y})
		}
		if s.above {
			p.arrowHead(s.cmap, 1, vg.Point{X: area.Max.X + tip, Y: middle}, vg.Point{X: area.Max.X, Y: area.Min.Y}, vg.Point{X: area.Max.X, Y: area.Max.Y})
		}
	}))
	p.place(axes, area)
}

// barBeside draws a vertical colour bar within the height of area, with the given marks and the label at its right.
func (p page) barBeside(s scale, area vg.Rectangle, ticks []plot.Tick) {
	tip := 0.7 * (area.Max.X - area.Min.X)
	if s.below {
		area.Min.Y += tip
	}
	if s.above {
		area.Max.Y -= tip
	}
	p.DrawImage(area, s.picture(true))
	p.SetLineStyle(solid(ink, hairline))
	p.Stroke(area.Path())
	height := area.Max.Y - area.Min.Y
	widest := 0.0
	for _, t := range ticks {
		y := area.Min.Y + vg.Length((t.Value-s.lo)/(s.hi-s.lo))*height
		p.StrokeLine2(solid(ink, hairline), area.Max.X, y, area.Max.X+tickOf(t), y)
		tickPen.write(p, vg.Point{X: area.Max.X + tickLength + labelGap, Y: y}, middleLeft, t.Label)
		widest = math.Max(widest, tickPen.widthMM(t.Label))
	}
	middleX := (area.Min.X + area.Max.X) / 2
	if s.below {
		p.arrowHead(s.cmap, 0, vg.Point{X: middleX, Y: area.Min.Y - tip}, area.Min, vg.Point{X: area.Max.X, Y: area.Min.Y})
	}
	if s.above {
		p.arrowHead(s.cmap, 1, vg.Point{X: middleX, Y: area.Max.Y + tip}, vg.Point{X: area.Min.X, Y: area.Max.Y}, area.Max)
	}
	p.writeUpAt(labelPen, vg.Point{X: area.Max.X + mm(widest+3.6), Y: (area.Min.Y + area.Max.Y) / 2}, s.label)
}

func (p page) arrowHead(cmap colormap, t float64, tip, a, b vg.Point) {
	p.FillPolygon(cmap.at(t, 0, 1), []vg.Point{tip, a, b})
	p.StrokeLines(solid(ink, hairline), []vg.Point{a, tip, b})
}
