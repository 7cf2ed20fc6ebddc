package validation

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"elastography/plots"
)

// drawing is a figure of the report.
type drawing struct {
	name, caption string
	figure        *plots.Figure
}

// figures draws what was measured: a scanner's phantoms, then the cohort.
func (r *Report) figures() ([]drawing, error) {
	style := plots.Style{Simulated: r.Simulated}
	var list []drawing
	var failed error
	add := func(name, caption string, f *plots.Figure, err error) {
		if err != nil && failed == nil {
			failed = err
		}
		list = append(list, drawing{name, caption, f})
	}
	for _, group := range r.groups() {
		if !strings.HasPrefix(group, "scanner ") {
			continue
		}
		file := "validation-" + strings.ReplaceAll(group, " ", "-")
		echo, swe := r.echoPanels(group), r.swePanels(group)
		if len(echo) > 0 {
			f, err := plots.Lines(echo, style)
			add(file+"-echo", fmt.Sprintf("%s, B-mode on homogeneous phantoms: fully developed speckle has Rayleigh amplitudes, and its lateral size follows the beam; at 10 mm, above the focus, the beam is flat-topped and wider than its speckle.", group), f, err)
		}
		if len(swe) > 0 {
			f, err := plots.Lines(swe, style)
			add(file+"-swe", fmt.Sprintf("%s, SWE on phantoms: what homogeneous blocks read without noise, the contrast recovered of 60 kPa discs in 25 kPa, and the share of a 25 kPa block that shows a stiffness, with noise.", group), f, err)
		}
	}
	if curves := r.rocCurves(); len(curves) > 0 {
		f, err := plots.ROC(curves, style)
		add("validation-roc", "Tumour regions of 5 mm against benign ones, by stiffness and by grey level beside benign regions of the same plane, zone and depth.", f, err)
	}
	if panels := r.cohortPanels(); len(panels) > 0 {
		f, err := plots.Lines(panels, style)
		add("validation-cohort", "The cohort's stiffness as the scanner shows it, by tissue as histopathology truly has it, and the share of the SWE box that shows one, by depth.", f, err)
	}
	return list, failed
}

// groups lists the groups of rows in their order.
func (r *Report) groups() []string {
	var names []string
	for _, row := range r.Rows {
		if !slices.Contains(names, row.Group) {
			names = append(names, row.Group)
		}
	}
	return names
}

func (r *Report) echoPanels(group string) []plots.LinePanel {
	var panels []plots.LinePanel
	if c, ok := r.Curves[group+"/speckle"]; ok {
		theory := r.Curves[group+"/speckle/theory"]
		panels = append(panels, plots.LinePanel{Title: "Speckle amplitude", XLabel: "Amplitude / root mean square", YLabel: "Probability density", XMax: 3,
			Series: []plots.LineSeries{{Name: "simulated", X: c.X, Y: c.Y, Points: true}, {Name: "Rayleigh", X: theory.X, Y: theory.Y, Reference: true}}})
	}
	if c, ok := r.Curves[group+"/grain"]; ok {
		p := plots.LinePanel{Title: "Lateral size", XLabel: "Depth (mm)", YLabel: "Width at half maximum (mm)",
			Series: []plots.LineSeries{{Name: "speckle autocorrelation", X: c.X, Y: c.Y, Points: true}}}
		if ref, ok := r.Curves[group+"/grain/simus"]; ok {
			p.Series = append(p.Series, plots.LineSeries{Name: "SIMUS point-spread function", X: ref.X, Y: ref.Y, Reference: true})
		}
		p.XMax, p.YMax = 45, 1.2*max(slices.Max(p.Series[len(p.Series)-1].Y), greatest(c.Y))
		panels = append(panels, p)
	}
	return panels
}

func greatest(values []float64) float64 {
	most := 0.0
	for _, v := range values {
		if !math.IsNaN(v) {
			most = max(most, v)
		}
	}
	return most
}

func (r *Report) swePanels(group string) []plots.LinePanel {
	var panels []plots.LinePanel
	if c, ok := r.Curves[group+"/linearity"]; ok {
		panels = append(panels, plots.LinePanel{Title: "Homogeneous blocks", XLabel: "Young's modulus (kPa)", YLabel: "Shown (kPa)",
			Series: []plots.LineSeries{{Name: "shown", X: c.X, Y: c.Y, Points: true}, {Name: "identity", X: []float64{0, 110}, Y: []float64{0, 110}, Reference: true}},
			XMax:   110, YMax: 110})
	}
	if c, ok := r.Curves[group+"/recovery"]; ok {
		panels = append(panels, plots.LinePanel{Title: "60 kPa discs in 25 kPa", XLabel: "Diameter (mm)", YLabel: "Contrast recovered (%)",
			Series: []plots.LineSeries{{Name: "simulated", X: c.X, Y: c.Y, Points: true}, {Name: "all of it", X: []float64{0, 22}, Y: []float64{100, 100}, Reference: true}}, YMax: 110, XMax: 22})
	}
	if c, ok := r.Curves[group+"/valid"]; ok {
		panels = append(panels, plots.LinePanel{Title: "25 kPa block, with noise", XLabel: "Depth (mm)", YLabel: "Valid (%)",
			Series: []plots.LineSeries{{Name: "shows a stiffness", X: c.X, Y: c.Y}}, YMax: 104, XMax: 45})
	}
	return panels
}

func (r *Report) rocCurves() []plots.ROCCurve {
	var curves []plots.ROCCurve
	for _, c := range r.ROC {
		curves = append(curves, plots.ROCCurve{Name: c.Name, FalsePositive: c.X, TruePositive: c.Y, AUC: c.AUC, Low: c.CI95[0], High: c.CI95[1]})
	}
	return curves
}

func (r *Report) cohortPanels() []plots.LinePanel {
	var panels []plots.LinePanel
	stiffness := plots.LinePanel{Title: "Stiffness shown, by tissue", XLabel: "Young's modulus (kPa)", YLabel: "Pixels softer than this (%)", YMax: 100}
	for name, c := range r.Curves {
		if tissue, ok := strings.CutPrefix(name, "cohort/stiffness/"); ok && len(c.X) > 0 {
			stiffness.Series = append(stiffness.Series, plots.LineSeries{Name: tissue, X: c.X, Y: c.Y})
			stiffness.XMax = max(stiffness.XMax, 5*math.Ceil(c.X[len(c.X)-1]/5))
		}
	}
	slices.SortFunc(stiffness.Series, func(a, b plots.LineSeries) int { // from soft to stiff
		return cmp.Or(cmp.Compare(a.X[len(a.X)/2], b.X[len(b.X)/2]), cmp.Compare(a.Name, b.Name))
	})
	if len(stiffness.Series) > 0 {
		panels = append(panels, stiffness)
	}
	if c, ok := r.Curves["cohort/valid"]; ok && len(c.X) > 0 {
		panels = append(panels, plots.LinePanel{Title: "SWE box", XLabel: "Depth (mm)", YLabel: "Valid (%)", XMax: 5 * math.Ceil(c.X[len(c.X)-1]/5), YMax: 104,
			Series: []plots.LineSeries{{Name: "shows a stiffness", X: c.X, Y: c.Y}}})
	}
	return panels
}
