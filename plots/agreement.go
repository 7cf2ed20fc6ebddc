package plots

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// BlandAltmanData compares two measurements of the same regions, SWE and sSWE.
type BlandAltmanData struct {
	MeanKPa, DifferenceKPa []float64 // of each region: (SWE + sSWE)/2, and sSWE − SWE
	Group                  []string  // the patient of each region; optional
	BiasKPa                float64
	LowerKPa, UpperKPa     float64 // limits of agreement
}

func (d BlandAltmanData) validate() error {
	switch {
	case len(d.MeanKPa) == 0:
		return errors.New("p.MeanKPa: no region given")
	case len(d.DifferenceKPa) != len(d.MeanKPa):
		return fmt.Errorf("p.DifferenceKPa: %d values beside %d means", len(d.DifferenceKPa), len(d.MeanKPa))
	case len(d.Group) != 0 && len(d.Group) != len(d.MeanKPa):
		return fmt.Errorf("p.Group: %d names for %d regions", len(d.Group), len(d.MeanKPa))
	case !finite(d.BiasKPa) || !finite(d.LowerKPa) || !finite(d.UpperKPa):
		return fmt.Errorf("p.BiasKPa, p.LowerKPa, p.UpperKPa are %v, %v, %v", d.BiasKPa, d.LowerKPa, d.UpperKPa)
	case d.LowerKPa > d.UpperKPa:
		return fmt.Errorf("p.LowerKPa %v is above p.UpperKPa %v", d.LowerKPa, d.UpperKPa)
	}
	for i := range d.MeanKPa {
		if finite(d.MeanKPa[i]) && finite(d.DifferenceKPa[i]) {
			return nil
		}
	}
	return errors.New("p.MeanKPa, p.DifferenceKPa: no pair of finite values")
}

// BlandAltman draws difference against mean with the bias and the limits of agreement. Up to six patients are told apart by colour and shape; with
// more, all points look alike, for a legend would say nothing.
func BlandAltman(d BlandAltmanData, st Style) (*Figure, error) {
	const name = "BlandAltman"
	if err := st.validate(); err != nil {
		return nil, refuse(name, err)
	}
	if err := d.validate(); err != nil {
		return nil, refuse(name, err)
	}
	xs, ys := newLimits(), newLimits()
	drawn := 0
	for i, m := range d.MeanKPa {
		if finite(m) && finite(d.DifferenceKPa[i]) {
			xs.add(m)
			ys.add(d.DifferenceKPa[i])
			drawn++
		}
	}
	ys.add(d.LowerKPa, d.UpperKPa)
	extent := roundUp(1.1 * math.Max(math.Abs(ys.lo), math.Abs(ys.hi)))
	groups := distinct(d.Group)
	apart := len(groups) > 1 && len(groups) <= len(series)
	style := func(i int) draw.GlyphStyle {
		if !apart {
			return draw.GlyphStyle{Color: blue, Radius: 1.7, Shape: draw.RingGlyph{}}
		}
		k := groups[d.Group[i]]
		return draw.GlyphStyle{Color: series[k], Radius: 1.8, Shape: glyphs[k]}
	}

	const left, width, height = 12.5, 56.0, 52.0
	top := 3.0
	if apart {
		top = 7
	}
	paint := func(p page) {
		if apart {
			entries := make([]entry, len(groups))
			for i, g := range d.Group {
				sty := style(i)
				entries[groups[g]] = entry{text: g, glyph: &sty}
			}
			p.legend(left, 3, width+15, entries)
		}
		axes := newAxes("Mean of SWE and sSWE (kPa)", "Difference, sSWE − SWE (kPa)")
		axes.X.Min, axes.X.Max = 0, roundUp(1.02*xs.hi)
		axes.Y.Min, axes.Y.Max = -extent, extent
		axes.X.Tick.Marker, axes.Y.Tick.Marker = steps{6}, steps{6}
		axes.Add(marks(func(c draw.Canvas, x, y func(float64) vg.Length) {
			c.StrokeLine2(solid(gridInk, 0.8), c.Min.X, y(0), c.Max.X, y(0))
			for i := range d.MeanKPa {
				if finite(d.MeanKPa[i]) && finite(d.DifferenceKPa[i]) {
					c.DrawGlyph(style(i), vg.Point{X: x(d.MeanKPa[i]), Y: y(d.DifferenceKPa[i])})
				}
			}
			lines := []struct {
				name  string
				value float64
				sty   draw.LineStyle
			}{{"upper limit", d.UpperKPa, dashed(ink, 0.8, 3, 2)}, {"bias", d.BiasKPa, solid(ink, 1)}, {"lower limit", d.LowerKPa, dashed(ink, 0.8, 3, 2)}}
			var heights []vg.Length
			for _, l := range lines {
				c.StrokeLine2(l.sty, c.Min.X, y(l.value), c.Max.X, y(l.value))
				heights = append(heights, y(l.value))
			}
			for i, at := range spreadOut(heights, 19) {
				tickPen.write(c, vg.Point{X: c.Max.X + 3, Y: at + 1}, baseLeft, lines[i].name)
				tickPen.write(c, vg.Point{X: c.Max.X + 3, Y: at - 7.5}, baseLeft, signed(lines[i].value, 1)+" kPa")
			}
		}))
		p.place(axes, p.rect(left, top, width, height))
	}
	alt := fmt.Sprintf("Bland-Altman plot of %d regions: bias %s kPa, limits of agreement %s to %s kPa.", drawn, signed(d.BiasKPa, 1), signed(d.LowerKPa, 1), signed(d.UpperKPa, 1))
	return newFigure(name, singleColumnMM, top+height+10, st, alt, paint), nil
}

// distinct numbers names in the order in which they come.
func distinct(names []string) map[string]int {
	index := map[string]int{}
	for _, n := range names {
		if _, seen := index[n]; !seen {
			index[n] = len(index)
		}
	}
	return index
}
