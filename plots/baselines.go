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

// BaselineRow is a method, or an ablation of one, with its error.
type BaselineRow struct {
	Name      string
	MAEKPa    float64
	Low, High float64 // 95 % interval of MAEKPa; NaN where there is none
	Model     bool    // the model of the study stands out among its baselines
}

// Baselines draws the error of each row with its interval, in the order given.
func Baselines(rows []BaselineRow, st Style) (*Figure, error) {
	const name = "Baselines"
	if err := st.validate(); err != nil {
		return nil, refuse(name, err)
	}
	if len(rows) == 0 {
		return nil, refuse(name, errors.New("rows: none given"))
	}
	top, longest := 0.0, 0.0
	var words []string
	for i, r := range rows {
		if !finite(r.MAEKPa) || r.MAEKPa < 0 {
			return nil, refuse(name, fmt.Errorf("rows[%d] (%s): MAEKPa is %v", i, r.Name, r.MAEKPa))
		}
		top = math.Max(top, r.MAEKPa)
		if finite(r.High) {
			top = math.Max(top, r.High)
		}
		longest = math.Max(longest, labelPen.widthMM(r.Name))
		words = append(words, r.Name+" "+intervalWords(r.MAEKPa, r.Low, r.High, 1))
	}

	const rowMM, upper = 5.0, 2.5
	left, values := math.Min(longest+3, 60), 27.0
	width := 62.0
	height := rowMM * float64(len(rows))
	paint := func(p page) {
		axes := newAxes("Mean absolute error with 95 % interval (kPa)", "")
		axes.X.Min, axes.X.Max = 0, axisEnd(1.01*top, 6)
		axes.Y.Min, axes.Y.Max = 0, float64(len(rows))
		axes.X.Tick.Marker = steps{6}
		axes.Y.Tick.Marker = plot.ConstantTicks(nil)
		axes.bare = true
		axes.Add(grid{x: true}, marks(func(c draw.Canvas, x, y func(float64) vg.Length) {
			c.StrokeLine2(solid(ink, hairline), c.Min.X, c.Min.Y, c.Max.X, c.Min.Y)
			for i, r := range rows {
				at := y(float64(len(rows)) - float64(i) - 0.5)
				text, tint, shape := labelPen, softInk, draw.GlyphDrawer(draw.BoxGlyph{})
				if r.Model {
					text.bold, tint, shape = true, blue, draw.CircleGlyph{}
					c.StrokeLine2(dashed(blue, 0.5, 1.5, 1.5), x(r.MAEKPa), c.Min.Y, x(r.MAEKPa), c.Max.Y)
				}
				interval(c, solid(tint, 1), r.Low, r.High, func(v float64) vg.Point { return vg.Point{X: x(v), Y: at} })
				c.DrawGlyph(draw.GlyphStyle{Color: tint, Radius: 2.2, Shape: shape}, vg.Point{X: x(r.MAEKPa), Y: at})
				text.writeWithin(c, vg.Point{X: c.Min.X - mm(2), Y: at}, middleRight, r.Name, left-3)
				text.write(c, vg.Point{X: c.Max.X + mm(2), Y: at}, middleLeft, intervalWords(r.MAEKPa, r.Low, r.High, 1))
			}
		}))
		p.place(axes, p.rect(left, upper, width, height))
	}
	alt := "Mean absolute error in kPa with intervals: " + strings.Join(words, "; ") + "."
	return newFigure(name, left+width+values, upper+height+10, st, alt, paint), nil
}

// interval draws a whisker from low to high, if there is an interval, as far as it lies within the axes.
func interval(c draw.Canvas, sty draw.LineStyle, low, high float64, at func(float64) vg.Point) {
	if !finite(low) || !finite(high) || high <= low {
		return
	}
	const half = 1.8
	a, b := at(low), at(high)
	end := vg.Point{X: half}
	if a.Y == b.Y {
		end = vg.Point{Y: half}
	}
	for _, line := range [][]vg.Point{{a, b}, {a.Sub(end), a.Add(end)}, {b.Sub(end), b.Add(end)}} {
		c.StrokeLines(sty, c.ClipLinesXY(line)...)
	}
}

// intervalWords is a value with its interval, as in "4.8 (4.1 to 5.5)".
func intervalWords(v, low, high float64, decimals int) string {
	s := number(v, decimals)
	if finite(low) && finite(high) && high > low {
		s += fmt.Sprintf(" (%s to %s)", number(low, decimals), number(high, decimals))
	}
	return s
}
