package plots

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Fit is the straight line through synthetic against measured values: sSWE ≈ Intercept + Slope · SWE.
type Fit struct {
	Slope     float64 // calibration slope; 1 is ideal
	Intercept float64 // kPa
	R         float64 // Pearson correlation
	MAEKPa    float64
}

// MeasuredVsSynthetic draws how often each pair of measured and synthetic stiffness occurs, with the identity and the calibration line.
// Pairs with a NaN are left out.
func MeasuredVsSynthetic(measured, synthetic []float32, fit Fit, st Style) (*Figure, error) {
	const name = "MeasuredVsSynthetic"
	if err := st.validate(); err != nil {
		return nil, refuse(name, err)
	}
	if len(measured) != len(synthetic) {
		return nil, refuse(name, fmt.Errorf("synthetic: %d values beside %d measured", len(synthetic), len(measured)))
	}
	for _, part := range []struct {
		field string
		value float64
	}{{"Slope", fit.Slope}, {"Intercept", fit.Intercept}, {"R", fit.R}, {"MAEKPa", fit.MAEKPa}} {
		if !finite(part.value) {
			return nil, refuse(name, fmt.Errorf("fit.%s is %v", part.field, part.value))
		}
	}
	limit := st.ScaleMaxKPa
	if limit == 0 {
		limit = roundUp(math.Max(1, quantile(0.999, Map{Values: measured}, Map{Values: synthetic})))
	}
	const bins = 80
	counts := Map{Height: bins, Width: bins, MMPerPx: 1, Values: make([]float32, bins*bins)}
	pairs, beyond := 0, 0
	most := float32(0)
	for i, m := range measured {
		s := synthetic[i]
		if !finite(float64(m)) || !finite(float64(s)) {
			continue
		}
		pairs++
		// The upper edge belongs to the last bin: a saturated scanner puts many pixels there.
		col, row := int(math.Floor(float64(m)/limit*bins)), int(math.Floor(float64(s)/limit*bins))
		if float64(m) == limit {
			col = bins - 1
		}
		if float64(s) == limit {
			row = bins - 1
		}
		if col < 0 || row < 0 || col >= bins || row >= bins {
			beyond++
			continue
		}
		k := (bins-1-row)*bins + col
		counts.Values[k]++
		most = max(most, counts.Values[k])
	}
	if pairs == 0 {
		return nil, refuse(name, errors.New("measured, synthetic: no pair of finite values"))
	}
	if pairs == beyond {
		return nil, refuse(name, fmt.Errorf("style.ScaleMaxKPa: no pair lies within 0 to %g kPa", limit))
	}
	cmap, err := colormapNamed(st.Map)
	if err != nil {
		return nil, refuse(name, err)
	}
	top := math.Max(1, math.Log10(float64(most)))
	logs := counts
	logs.Values = make([]float32, len(counts.Values))
	for i, v := range counts.Values {
		logs.Values[i] = float32(math.NaN())
		if v > 0 {
			logs.Values[i] = float32(math.Log10(float64(v)))
		}
	}

	const left, upper, side = 12.0, 7.0, 56.0
	identity, line := dashed(ink, 0.8, 3, 2), solid(vermillion, 1.3)
	paint := func(p page) {
		p.legend(left, 3, side+15, []entry{{text: "identity", line: &identity}, {text: "calibration fit", line: &line}})
		area := p.rect(left, upper, side, side)
		picture := logs.pictureOn(cmap, 0, top, white)
		axes := newAxes("SWE, measured (kPa)", "sSWE, from B-mode (kPa)")
		axes.X.Min, axes.X.Max, axes.Y.Min, axes.Y.Max = 0, limit, 0, limit
		axes.bare = true
		axes.X.Tick.Marker, axes.Y.Tick.Marker = steps{7}, steps{7}
		axes.Add(marks(func(c draw.Canvas, x, y func(float64) vg.Length) {
			c.DrawImage(area, picture)
			polyline(c, identity, []vg.Point{{X: x(0), Y: y(0)}, {X: x(limit), Y: y(limit)}})
			ends := []vg.Point{{X: x(0), Y: y(fit.Intercept)}, {X: x(limit), Y: y(fit.Intercept + fit.Slope*limit)}}
			polyline(c, solid(white, 2.2), ends)
			polyline(c, line, ends)
			c.SetLineStyle(solid(ink, hairline))
			c.Stroke(area.Path())
			for i, s := range fitWords(fit, pairs, beyond) {
				tickPen.write(c, vg.Point{X: c.Min.X + 4, Y: c.Max.Y - 5 - 9*vg.Length(i)}, anchor{0, 1}, s)
			}
		}))
		p.place(axes, area)
		p.countBar(cmap, top, p.rect(left+side+3, upper, 2.6, side))
	}
	alt := fmt.Sprintf("Density of %s pixels, synthetic against measured Young's modulus from 0 to %s kPa. Calibration slope %s, intercept %s kPa, Pearson r %s, mean absolute error %s kPa.",
		count(pairs), number(limit, 0), number(fit.Slope, 2), number(fit.Intercept, 1), number(fit.R, 2), number(fit.MAEKPa, 2))
	return newFigure(name, singleColumnMM, upper+side+10, st, alt, paint), nil
}

func fitWords(fit Fit, pairs, beyond int) []string {
	words := []string{
		"slope " + number(fit.Slope, 2) + ", intercept " + number(fit.Intercept, 1) + " kPa",
		"r " + number(fit.R, 2) + ", MAE " + number(fit.MAEKPa, 1) + " kPa",
		count(pairs) + " pixels",
	}
	if beyond > 0 {
		words[2] += fmt.Sprintf(", %s beyond the axes", percentWords(float64(beyond)/float64(pairs)))
	}
	return words
}

// countBar is a colour bar of counts from 1 to ten to the power of top.
func (p page) countBar(cmap colormap, top float64, area vg.Rectangle) {
	s := scale{cmap: cmap, hi: top, label: "Pixels in a bin"}
	p.barBeside(s, area, func() []plot.Tick {
		var ticks []plot.Tick
		for _, t := range (decades{}).Ticks(1, math.Pow(10, top)) {
			ticks = append(ticks, plot.Tick{Value: math.Log10(t.Value), Label: t.Label})
		}
		return ticks
	}())
}
