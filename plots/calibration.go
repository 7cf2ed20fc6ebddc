package plots

import (
	"errors"
	"fmt"
)

// Calibration says how far the uncertainty of predictions can be trusted.
type Calibration struct {
	Nominal, Covered []float64 // share of pixels that an interval promises, and the share that it holds, 0 to 1
	SigmaKPa         []float64 // predicted standard deviation, mean of each bin of pixels, kPa
	RMSEKPa          []float64 // error found in each bin, kPa
	Removed          []float64 // share of the most uncertain pixels left out, 0 to 1
	MAEKPa           []float64 // mean absolute error of the rest, kPa
	OracleMAEKPa     []float64 // the same with the pixels of the largest true error left out: the best that is possible; optional
}

// UncertaintyCalibration draws (a) coverage of the intervals, (b) error against predicted uncertainty, and (c) sparsification: how the error falls as the
// most uncertain pixels are left out.
func UncertaintyCalibration(c Calibration, st Style) (*Figure, error) {
	const name = "UncertaintyCalibration"
	for _, part := range []struct {
		argument string
		n, same  int
	}{
		{"c.Nominal, c.Covered", len(c.Nominal), len(c.Covered)},
		{"c.SigmaKPa, c.RMSEKPa", len(c.SigmaKPa), len(c.RMSEKPa)},
		{"c.Removed, c.MAEKPa", len(c.Removed), len(c.MAEKPa)},
	} {
		if part.n == 0 {
			return nil, refuse(name, fmt.Errorf("%s: empty", part.argument))
		}
		if part.n != part.same {
			return nil, refuse(name, fmt.Errorf("%s: %d values beside %d", part.argument, part.n, part.same))
		}
	}
	if len(c.OracleMAEKPa) != 0 && len(c.OracleMAEKPa) != len(c.Removed) {
		return nil, refuse(name, errors.New("c.OracleMAEKPa: give a value for each of c.Removed, or none"))
	}
	most := newLimits()
	most.add(c.SigmaKPa...)
	most.add(c.RMSEKPa...)
	if most.empty() {
		return nil, refuse(name, errors.New("c.SigmaKPa, c.RMSEKPa: every value is NaN"))
	}
	limit := roundUp(1.03 * most.hi)
	diagonal := func(to float64) LineSeries {
		return LineSeries{Name: "ideal", X: []float64{0, to}, Y: []float64{0, to}, Reference: true}
	}
	percent := func(v []float64) []float64 {
		out := make([]float64, len(v))
		for i := range v {
			out[i] = 100 * v[i]
		}
		return out
	}
	panels := []LinePanel{
		{
			Title: "Coverage of the intervals", XLabel: "Promised (%)", YLabel: "Pixels within (%)", XMax: 100, YMax: 100,
			Series: []LineSeries{diagonal(100), {Name: "model", X: percent(c.Nominal), Y: percent(c.Covered)}},
		},
		{
			Title: "Error against uncertainty", XLabel: "Predicted standard deviation (kPa)", YLabel: "Root mean square error (kPa)", XMax: limit, YMax: limit,
			Series: []LineSeries{diagonal(limit), {Name: "bins of pixels", X: c.SigmaKPa, Y: c.RMSEKPa, Points: true}},
		},
		{
			Title: "Sparsification", XLabel: "Most uncertain pixels left out (%)", YLabel: "Mean absolute error (kPa)",
			Series: []LineSeries{{Name: "by predicted uncertainty", X: percent(c.Removed), Y: c.MAEKPa}},
		},
	}
	if len(c.OracleMAEKPa) > 0 {
		panels[2].Series = append([]LineSeries{{Name: "by true error (best possible)", X: percent(c.Removed), Y: c.OracleMAEKPa, Reference: true}}, panels[2].Series...)
	}
	return lines(name, panels, st)
}
