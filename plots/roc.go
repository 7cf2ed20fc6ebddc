package plots

import (
	"errors"
	"fmt"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// ROCCurve is a receiver operating characteristic against histopathology.
type ROCCurve struct {
	Name                        string
	FalsePositive, TruePositive []float64   // rates from 0 to 1, of the same length
	AUC, Low, High              float64     // area under the curve and its 95 % interval; NaN bounds are not shown
	Mark                        *[2]float64 // false and true positive rate of the 35 kPa cut; optional
}

func (r ROCCurve) validate() error {
	if len(r.FalsePositive) < 2 {
		return fmt.Errorf("FalsePositive: %d points make no curve", len(r.FalsePositive))
	}
	if len(r.TruePositive) != len(r.FalsePositive) {
		return fmt.Errorf("TruePositive: %d values beside %d false positive rates", len(r.TruePositive), len(r.FalsePositive))
	}
	rate := func(v float64) bool { return v >= 0 && v <= 1 }
	for i := range r.FalsePositive {
		if !rate(r.FalsePositive[i]) || !rate(r.TruePositive[i]) {
			return fmt.Errorf("point %d (%v, %v) is not within 0 to 1", i, r.FalsePositive[i], r.TruePositive[i])
		}
	}
	if !rate(r.AUC) {
		return fmt.Errorf("AUC is %v, not within 0 to 1", r.AUC)
	}
	if r.Mark != nil && (!rate(r.Mark[0]) || !rate(r.Mark[1])) {
		return fmt.Errorf("Mark (%v, %v) is not within 0 to 1", r.Mark[0], r.Mark[1])
	}
	return nil
}

// words is the area with its interval, as in "0.87 (0.80 to 0.93)".
func (r ROCCurve) words() string {
	s := number(r.AUC, 2)
	if finite(r.Low) && finite(r.High) && r.High > r.Low {
		s += fmt.Sprintf(" (%s to %s)", number(r.Low, 2), number(r.High, 2))
	}
	return s
}

// ROC draws the curves, chance, and the operating points at 35 kPa.
func ROC(curves []ROCCurve, st Style) (*Figure, error) {
	const name = "ROC"
	if err := st.validate(); err != nil {
		return nil, refuse(name, err)
	}
	if len(curves) == 0 {
		return nil, refuse(name, errors.New("curves: none given"))
	}
	var words []string
	marked := false
	for i, r := range curves {
		if err := r.validate(); err != nil {
			return nil, refuse(name, fmt.Errorf("curves[%d] (%s): %w", i, r.Name, err))
		}
		words = append(words, r.Name+" "+r.words())
		marked = marked || r.Mark != nil
	}
	style := func(i int) draw.LineStyle {
		sty := solid(series[i%len(series)], 1.3)
		sty.Dashes = dashing[i%len(dashing)]
		return sty
	}

	const left, top, side = 12.5, 2.5, 72.0
	rowMM := 3.8
	keyMM := float64(len(curves)+1) * rowMM
	if marked {
		keyMM += rowMM
	}
	paint := func(p page) {
		axes := newAxes("False positive rate, 1 − specificity", "True positive rate, sensitivity")
		axes.X.Min, axes.X.Max, axes.Y.Min, axes.Y.Max = 0, 1, 0, 1
		axes.X.Tick.Marker, axes.Y.Tick.Marker = steps{5}, steps{5}
		axes.Add(grid{x: true, y: true}, marks(func(c draw.Canvas, x, y func(float64) vg.Length) {
			c.StrokeLine2(dashed(softInk, 0.6, 2, 2), x(0), y(0), x(1), y(1))
			for i, r := range curves {
				var pts []vg.Point
				for k := range r.FalsePositive {
					pts = append(pts, vg.Point{X: x(r.FalsePositive[k]), Y: y(r.TruePositive[k])})
				}
				c.StrokeLines(style(i), pts)
			}
			for i, r := range curves {
				if r.Mark == nil {
					continue
				}
				at := vg.Point{X: x(r.Mark[0]), Y: y(r.Mark[1])}
				shape := glyphs[i%3]
				c.DrawGlyph(draw.GlyphStyle{Color: white, Radius: 3.6, Shape: shape}, at)
				c.DrawGlyph(draw.GlyphStyle{Color: series[i%len(series)], Radius: 2.6, Shape: shape}, at)
			}
		}))
		p.place(axes, p.rect(left, top, side, side))
		y := top + side + 11
		p.write(notePen, left+7, y, middleLeft, "area under the curve with 95 % interval")
		for i, r := range curves {
			y += rowMM
			p.line(style(i), left, y, left+5.5, y)
			p.writeWithin(tickPen, left+7, y, middleLeft, r.Name+": "+r.words(), side-8)
		}
		if marked {
			y += rowMM
			p.DrawGlyphNoClip(draw.GlyphStyle{Color: softInk, Radius: 2.6, Shape: draw.CircleGlyph{}}, p.point(left+2.75, y))
			p.write(tickPen, left+7, y, middleLeft, "on a curve: the cut at 35 kPa")
		}
	}
	alt := fmt.Sprintf("Receiver operating characteristic of tumour against histopathology. Area under the curve: %s.", strings.Join(words, "; "))
	return newFigure(name, singleColumnMM, top+side+11+keyMM, st, alt, paint), nil
}
