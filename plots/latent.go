package plots

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// LatentPoints is an embedding of the network's features in the plane, such as a t-SNE.
type LatentPoints struct {
	X, Y  []float64 // of no unit
	Group []string  // the scanner of each point
	// Method names the embedding, such as "t-SNE, perplexity 30".
	Method string
	// Score says in a line what the picture alone cannot, such as "scanner mixing 0.46 (0.5 is perfect)".
	Score string
}

// LatentSpace draws the embedding with one colour and shape a group. Its axes have neither unit nor direction, so they carry no numbers.
func LatentSpace(l LatentPoints, st Style) (*Figure, error) {
	const name = "LatentSpace"
	if err := st.validate(); err != nil {
		return nil, refuse(name, err)
	}
	switch n := len(l.X); {
	case n == 0:
		return nil, refuse(name, errors.New("l.X: no point given"))
	case len(l.Y) != n:
		return nil, refuse(name, fmt.Errorf("l.Y: %d values beside %d of X", len(l.Y), n))
	case len(l.Group) != n:
		return nil, refuse(name, fmt.Errorf("l.Group: %d names for %d points", len(l.Group), n))
	}
	groups := distinct(l.Group)
	if len(groups) > len(series) {
		return nil, refuse(name, fmt.Errorf("l.Group: %d groups; at most %d can be told apart", len(groups), len(series)))
	}
	xs, ys := newLimits(), newLimits()
	sizes := make([]int, len(groups))
	for i := range l.X {
		if finite(l.X[i]) && finite(l.Y[i]) {
			xs.add(l.X[i])
			ys.add(l.Y[i])
			sizes[groups[l.Group[i]]]++
		}
	}
	if xs.empty() {
		return nil, refuse(name, errors.New("l.X, l.Y: no finite point"))
	}
	// One scale for both axes: distances in an embedding mean the same in each direction.
	half := 0.54 * math.Max(1e-9, math.Max(xs.hi-xs.lo, ys.hi-ys.lo))
	midX, midY := (xs.lo+xs.hi)/2, (ys.lo+ys.hi)/2
	radius := vg.Length(math.Min(1.8, math.Max(0.8, 30/math.Sqrt(float64(len(l.X))))))
	style := func(k int) draw.GlyphStyle {
		c := series[k]
		c.A = 0xC0
		return draw.GlyphStyle{Color: c, Radius: radius, Shape: glyphs[k]}
	}
	entries := make([]entry, len(groups))
	for g, k := range groups {
		sty := style(k)
		entries[k] = entry{text: fmt.Sprintf("%s (n %d)", g, sizes[k]), glyph: &sty}
	}

	const left, top, side = 6.0, 7.0, 76.0
	paint := func(p page) {
		p.legend(left, 3, side, entries)
		axes := newAxes(l.Method, "")
		axes.X.Min, axes.X.Max = midX-half, midX+half
		axes.Y.Min, axes.Y.Max = midY-half, midY+half
		axes.bare = true
		axes.X.Tick.Marker, axes.Y.Tick.Marker = plot.ConstantTicks(nil), plot.ConstantTicks(nil)
		area := p.rect(left, top, side, side)
		axes.Add(marks(func(c draw.Canvas, x, y func(float64) vg.Length) {
			for i := range l.X { // in the order given, so that no group hides another
				if finite(l.X[i]) && finite(l.Y[i]) {
					c.DrawGlyph(style(groups[l.Group[i]]), vg.Point{X: x(l.X[i]), Y: y(l.Y[i])})
				}
			}
			c.SetLineStyle(solid(ink, hairline))
			c.Stroke(area.Path())
		}))
		p.place(axes, area)
		p.write(notePen, left+side/2, top+side+7.5, baseCentre, l.Score)
	}
	words := make([]string, len(entries))
	for k, e := range entries {
		words[k] = e.text
	}
	alt := fmt.Sprintf("Latent features, %s, of %d images: %s. %s", l.Method, len(l.X), strings.Join(words, ", "), l.Score)
	return newFigure(name, singleColumnMM, top+side+10, st, strings.TrimSpace(alt), paint), nil
}
