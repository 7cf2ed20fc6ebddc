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

// DifferenceRow is one comparison of a forest of differences.
type DifferenceRow struct {
	Group     string // rows of a group stand together under its name
	Name      string
	KPa       float64 // difference in mean absolute error from the reference; below 0 is better
	Low, High float64 // paired 95 % interval; NaN where there is none
}

// Differences draws how much the error of each row differs from the reference, group by group in the order given. Rows
// whose interval misses 0 stand out.
func Differences(rows []DifferenceRow, st Style) (*Figure, error) {
	const name = "Differences"
	if err := st.validate(); err != nil {
		return nil, refuse(name, err)
	}
	if len(rows) == 0 {
		return nil, refuse(name, errors.New("rows: none given"))
	}
	reach, longest, lines := 0.1, 0.0, 0
	var words []string
	for i, r := range rows {
		if !finite(r.KPa) {
			return nil, refuse(name, fmt.Errorf("rows[%d] (%s): KPa is %v", i, r.Name, r.KPa))
		}
		for _, v := range []float64{r.KPa, r.Low, r.High} {
			if finite(v) {
				reach = math.Max(reach, math.Abs(v))
			}
		}
		if i == 0 || r.Group != rows[i-1].Group {
			lines++
		}
		lines++
		longest = math.Max(longest, labelPen.widthMM(r.Name))
		words = append(words, r.Group+", "+r.Name+" "+intervalWords(r.KPa, r.Low, r.High, 2))
	}

	const rowMM, upper, width, values = 4.6, 2.5, 62.0, 34.0
	left := math.Min(longest+6, 72)
	height := rowMM * float64(lines)
	paint := func(p page) {
		axes := newAxes("Error minus the reference's, with paired 95 % interval (kPa)", "")
		end := axisEnd(1.05*reach, 4)
		axes.X.Min, axes.X.Max = -end, end
		axes.Y.Min, axes.Y.Max = 0, float64(lines)
		axes.X.Tick.Marker = steps{6}
		axes.Y.Tick.Marker = plot.ConstantTicks(nil)
		axes.bare = true
		axes.Add(grid{x: true}, marks(func(c draw.Canvas, x, y func(float64) vg.Length) {
			c.StrokeLine2(solid(ink, hairline), c.Min.X, c.Min.Y, c.Max.X, c.Min.Y)
			c.StrokeLine2(solid(ink, 0.6), x(0), c.Min.Y, x(0), c.Max.Y)
			line := 0
			next := func() vg.Length { line++; return y(float64(lines) - float64(line) + 0.5) }
			for i, r := range rows {
				if i == 0 || r.Group != rows[i-1].Group {
					head := labelPen
					head.bold = true
					head.writeWithin(c, vg.Point{X: c.Min.X - mm(left-1), Y: next()}, middleLeft, r.Group, left-3)
				}
				at, tint := next(), softInk
				if r.Low > 0 || r.High < 0 {
					tint = blue
				}
				interval(c, solid(tint, 1), r.Low, r.High, func(v float64) vg.Point { return vg.Point{X: x(v), Y: at} })
				c.DrawGlyph(draw.GlyphStyle{Color: tint, Radius: 2.2, Shape: draw.BoxGlyph{}}, vg.Point{X: x(r.KPa), Y: at})
				labelPen.writeWithin(c, vg.Point{X: c.Min.X - mm(2), Y: at}, middleRight, r.Name, left-3)
				labelPen.write(c, vg.Point{X: c.Max.X + mm(2), Y: at}, middleLeft, intervalWords(r.KPa, r.Low, r.High, 2))
			}
		}))
		p.place(axes, p.rect(left, upper, width, height))
	}
	alt := "Difference of mean absolute error from the reference in kPa: " + strings.Join(words, "; ") + "."
	return newFigure(name, left+width+values, upper+height+10, st, alt, paint), nil
}
