// Package study draws a run: each figure of the study from the run folder's files, and report.html around them.
//
// It owns the choice of what is shown and the captions. It never computes a result: package sswe does, and the run's
// files hold it. Cells of the notebooks call it, one figure a line.
package study

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"elastography/plots"
	"elastography/sswe"
)

// Drawing is one figure of the study. Name is its file's base name.
type Drawing struct {
	Name, Title, Caption string
	Figure               *plots.Figure
}

// Study holds a run's files, read once.
type Study struct {
	Run     sswe.Run
	Config  sswe.Config
	Metrics sswe.Metrics
	History []sswe.Epoch
	Result  *sswe.Result
	Pairs   []sswe.Pair // one for each test plane
}

// Open reads a finished run. The error says what is missing and which command makes it.
func Open(dir string) (*Study, error) {
	s := &Study{Run: sswe.Run{Dir: dir}}
	var err error
	if s.Config, err = s.Run.Config(); err != nil {
		return nil, err
	}
	if s.History, err = s.Run.History(); err != nil {
		return nil, err
	}
	if s.Result, s.Pairs, err = s.Run.Result(); err != nil {
		return nil, err
	}
	s.Metrics = s.Result.Metrics
	return s, nil
}

// style is what all figures of the run share.
func (s *Study) style() plots.Style {
	return plots.Style{Simulated: s.Metrics.Simulated, ScaleMaxKPa: s.Config.RangeKPa}
}

// Network draws the encoder-decoder.
func (s *Study) Network() (*plots.Figure, error) { return Network(s.Config, plots.Style{}) }

// Network draws a configuration's encoder-decoder.
func Network(c sswe.Config, style plots.Style) (*plots.Figure, error) {
	var layers []plots.NetworkLayer
	for _, l := range c.Network.Describe(c.Grid.Height, c.Grid.Width) {
		layers = append(layers, plots.NetworkLayer{Name: l.Name, Kind: l.Kind, Height: l.Height, Width: l.Width,
			Channels: l.Channels, Params: l.Weights, SkipFrom: l.SkipFrom})
	}
	return plots.Network(layers, style)
}

// LearningCurves draws training and validation error by epoch.
func (s *Study) LearningCurves() (*plots.Figure, error) { return LearningCurves(s.History, s.style()) }

// LearningCurves draws a history.
func LearningCurves(history []sswe.Epoch, style plots.Style) (*plots.Figure, error) {
	points := make([]plots.HistoryPoint, len(history))
	for i, e := range history {
		points[i] = plots.HistoryPoint{Epoch: e.Epoch, Step: e.Step, TrainMAEKPa: e.TrainMAEKPa, ValMAEKPa: e.ValMAEKPa, LearningRate: e.LearningRate}
		if e.ValMAEKPa < 0 {
			points[i].ValMAEKPa = math.NaN()
		}
	}
	return plots.LearningCurves(points, style)
}

// Panels draws B-mode, SWE, sSWE and error of the named planes, e.g. "p041/mid". Without names it takes the planes with
// the least, the median and the greatest error and the one with most tumour in view: a rule, not a choice.
func (s *Study) Panels(planes ...string) (*plots.Figure, error) {
	chosen, why := s.byRule()
	if len(planes) > 0 {
		chosen, why = nil, planes
		for _, name := range planes {
			k := slices.IndexFunc(s.Pairs, func(p sswe.Pair) bool { return p.ID() == name })
			if k < 0 {
				return nil, fmt.Errorf("panels: plane %q is not among the run's test planes, such as %s", name, s.Pairs[0].ID())
			}
			chosen = append(chosen, k)
		}
	}
	var rows []plots.PanelRow
	for i, k := range chosen {
		p, e := &s.Pairs[k], s.Result.Planes[k]
		title := p.ID()
		if len(planes) == 0 {
			title += ": " + why[i]
		}
		bias := strings.Replace(fmt.Sprintf("%+.1f", e.BiasKPa), "-", "−", 1)
		rows = append(rows, plots.PanelRow{Title: title, BMode: gray(p), SWE: field(p, p.TargetKPa), SSWE: field(p, p.SSWEKPa),
			Labels: p.Labels, Note: fmt.Sprintf("MAE %.1f kPa, bias %s kPa", e.MAEKPa, bias)})
	}
	return plots.Panels(rows, s.style())
}

func (s *Study) byRule() (chosen []int, why []string) {
	order := make([]int, len(s.Pairs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(s.Result.Planes[a].MAEKPa, s.Result.Planes[b].MAEKPa)
	})
	chosen = []int{order[0], order[len(order)/2], order[len(order)-1]}
	why = []string{"least error", "median error", "greatest error"}
	most, pixels := -1, 0
	for k := range s.Pairs {
		n := 0
		for i, label := range s.Pairs[k].Labels {
			if label >= 10 && s.Pairs[k].Mask[i] {
				n++
			}
		}
		if n > pixels && !slices.Contains(chosen, k) {
			most, pixels = k, n
		}
	}
	if most >= 0 {
		chosen, why = append(chosen, most), append(why, "most tumour in the SWE box")
	}
	return chosen, why
}

func gray(p *sswe.Pair) plots.Gray {
	g := plots.Gray{Height: p.Grid.Height, Width: p.Grid.Width, MMPerPx: p.Grid.MMPerPx, Pix: make([]uint8, len(p.Image))}
	for i, v := range p.Image {
		g.Pix[i] = uint8(255*v + 0.5)
	}
	return g
}

// field shows values only where the scanner measured: elsewhere the two images can't be compared.
func field(p *sswe.Pair, kPa []float32) plots.Map {
	m := plots.Map{Height: p.Grid.Height, Width: p.Grid.Width, MMPerPx: p.Grid.MMPerPx, Values: make([]float32, len(kPa))}
	for i, v := range kPa {
		if m.Values[i] = v; !p.Mask[i] {
			m.Values[i] = float32(math.NaN())
		}
	}
	return m
}

// valid lists measured and synthetic stiffness of all measured pixels that are not saturated, kPa.
func (s *Study) valid() (measured, synthetic []float32) {
	for k := range s.Pairs {
		p := &s.Pairs[k]
		for i, ok := range p.Mask {
			if ok && !p.Saturated[i] {
				measured, synthetic = append(measured, p.TargetKPa[i]), append(synthetic, p.SSWEKPa[i])
			}
		}
	}
	return measured, synthetic
}

// ErrorDistribution draws the error by pixel, plane and patient, with the baselines.
func (s *Study) ErrorDistribution() (*plots.Figure, error) {
	sample := plots.ErrorSample{Baselines: map[string]float64{}}
	measured, synthetic := s.valid()
	for i := range measured {
		sample.PixelErrorKPa = append(sample.PixelErrorKPa, synthetic[i]-measured[i])
	}
	for _, p := range s.Result.Planes {
		sample.PlaneMAEKPa, sample.PlanePatient = append(sample.PlaneMAEKPa, p.MAEKPa), append(sample.PlanePatient, p.Patient)
	}
	for name, b := range s.Metrics.Baselines {
		sample.Baselines[name] = b.MAEKPa
	}
	return plots.ErrorDistribution(sample, s.style())
}

// MeasuredVsSynthetic draws the density of pixels over measured and synthetic stiffness.
func (s *Study) MeasuredVsSynthetic() (*plots.Figure, error) {
	measured, synthetic := s.valid()
	m := s.Metrics
	return plots.MeasuredVsSynthetic(measured, synthetic,
		plots.Fit{Slope: m.Fit.Slope, Intercept: m.Fit.InterceptKPa, R: m.Pearson, MAEKPa: m.MAEKPa.Mean}, s.style())
}

// BlandAltman draws the agreement of plane means.
func (s *Study) BlandAltman() (*plots.Figure, error) {
	a := s.Metrics.BlandAltman
	d := plots.BlandAltmanData{BiasKPa: a.BiasKPa, LowerKPa: a.LowerKPa, UpperKPa: a.UpperKPa}
	for _, p := range s.Result.Planes {
		d.MeanKPa = append(d.MeanKPa, (p.MeasuredKPa+p.SyntheticKPa)/2)
		d.DifferenceKPa = append(d.DifferenceKPa, p.SyntheticKPa-p.MeasuredKPa)
		d.Group = append(d.Group, p.Patient)
	}
	return plots.BlandAltman(d, s.style())
}

// ROC draws measured and synthetic stiffness as tests for tumour on the same tiles, histopathology as registered and, for
// simulated planes, without registration error. Without histopathology, or without a tumour in view, there is none: the
// error says so.
func (s *Study) ROC() (*plots.Figure, error) {
	if s.Metrics.AUC == nil {
		return nil, fmt.Errorf("ROC: the test planes of %s show no tumour tile beside benign ones", s.Run.Dir)
	}
	curve := func(name, key string, v sswe.AUCValue) plots.ROCCurve {
		c := s.Result.Curves[key]
		return plots.ROCCurve{Name: name, FalsePositive: c.FalsePositive, TruePositive: c.TruePositive, AUC: v.AUC,
			Low: v.CI95[0], High: v.CI95[1], Mark: &[2]float64{1 - v.Specificity, v.Sensitivity}}
	}
	a := s.Metrics.AUC
	curves := []plots.ROCCurve{curve("SWE (measured)", "swe", a.SWE), curve("sSWE (synthetic)", "sswe", a.SSWE)}
	if t := s.Metrics.AUCTrue; t != nil && len(s.Result.Curves["swe_true"].FalsePositive) > 0 {
		curves = append(curves, curve("SWE, true labels", "swe_true", t.SWE), curve("sSWE, true labels", "sswe_true", t.SSWE))
	}
	return plots.ROC(curves, s.style())
}

// Baselines draws the network's error next to the trivial predictors' and the trained controls', with intervals. Oracles
// are in the table alone: they are no rivals.
func (s *Study) Baselines() (*plots.Figure, error) {
	m := s.Metrics
	rows := []plots.BaselineRow{{Name: "sSWE network", MAEKPa: m.MAEKPa.Mean, Low: m.MAEKPa.CI95[0], High: m.MAEKPa.CI95[1], Model: true}}
	for _, name := range m.BaselineNames() {
		b := m.Baselines[name]
		rows = append(rows, plots.BaselineRow{Name: name, MAEKPa: b.MAEKPa, Low: b.CI95[0], High: b.CI95[1]})
	}
	for _, p := range m.Predictors {
		if p.Kind == sswe.KindControl {
			rows = append(rows, plots.BaselineRow{Name: p.Name, MAEKPa: p.MAEKPa.Value, Low: p.MAEKPa.CI95[0], High: p.MAEKPa.CI95[1]})
		}
	}
	return plots.Baselines(rows, s.style())
}

// ErrorByGroup draws the error by stiffness, depth, zone and grade, with intervals where there is more than one patient.
func (s *Study) ErrorByGroup() (*plots.Figure, error) {
	var rows []plots.GroupError
	for _, f := range []struct {
		facet  string
		groups []sswe.GroupError
	}{{"Measured stiffness", s.Metrics.ByStiffness}, {"Depth", s.Metrics.ByDepth}, {"Histopathological zone", s.Metrics.ByZone},
		{"Grade of the tumour", s.Metrics.ByGrade}} {
		for _, g := range f.groups {
			row := plots.GroupError{Facet: f.facet, Group: g.Group, MAEKPa: g.MAEKPa, BiasKPa: g.BiasKPa,
				Low: math.NaN(), High: math.NaN(), N: g.Pixels}
			if g.Patients > 1 {
				row.Low, row.High = g.CI95[0], g.CI95[1]
			}
			rows = append(rows, row)
		}
	}
	return plots.ErrorByGroup(rows, s.style())
}

// Drawings draws every figure of the study in the report's order.
func (s *Study) Drawings() ([]Drawing, error) {
	list := []struct {
		Drawing
		draw func() (*plots.Figure, error)
	}{
		{Drawing{Name: "panels", Title: "Test planes", Caption: "B-mode, measured SWE, synthetic SWE and their difference where the scanner measured, " +
			"with histopathology as registered (tumour outlined). Planes are chosen by rule. Look whether a stiff area appears in both maps at the same place."},
			func() (*plots.Figure, error) { return s.Panels() }},
		{Drawing{Name: "baselines", Title: "The network next to trivial predictors", Caption: "Mean absolute error over test planes with 95 % bootstrap " +
			"intervals over patients. A network is worth something only to the left of the best trivial predictor."}, s.Baselines},
		{Drawing{Name: "error_distribution", Title: "How large the errors are", Caption: "Error of each pixel, and mean absolute error of each plane and patient."}, s.ErrorDistribution},
		{Drawing{Name: "measured_vs_synthetic", Title: "Measured against synthetic stiffness", Caption: "Density of unsaturated test pixels. A slope below 1 is regression " +
			"to the mean: stiff tissue is called too soft."}, s.MeasuredVsSynthetic},
		{Drawing{Name: "error_by_group", Title: "Where the errors are", Caption: "Error and bias by measured stiffness, depth, histopathological zone and ISUP grade group, " +
			"with 95 % bootstrap intervals over patients; none where all pixels are of one patient."}, s.ErrorByGroup},
		{Drawing{Name: "bland_altman", Title: "Agreement of plane means", Caption: "Synthetic minus measured mean stiffness of each test plane, with bias and limits of agreement " +
			"(variance between and within patients). Their intervals are in the table above."}, s.BlandAltman},
		{Drawing{Name: "roc", Title: "Stiffness as a test for tumour", Caption: "Measured and synthetic stiffness on the same tiles of the gland against histopathology as " +
			"registered and, on simulated planes, without registration error; the mark is the clinical cut of 35 kPa."}, s.ROC},
		{Drawing{Name: "learning_curves", Title: "Training", Caption: "Mean absolute error on training planes (augmented) and on validation patients by epoch."}, s.LearningCurves},
		{Drawing{Name: "network", Title: "The network", Caption: "Units of two 3x3 convolutions and a pooling or an up-sampling; output as large as the input."}, s.Network},
	}
	var drawings []Drawing
	for _, l := range list {
		if l.Name == "roc" && s.Metrics.AUC == nil {
			continue
		}
		f, err := l.draw()
		if err != nil {
			return nil, fmt.Errorf("draw %s: %w", l.Name, err)
		}
		l.Figure = f
		drawings = append(drawings, l.Drawing)
	}
	return drawings, nil
}

// Save writes every drawing to the run's figures folder as PNG, SVG and PDF.
func (s *Study) Save(drawings []Drawing) error {
	if err := os.MkdirAll(s.Run.FiguresDir(), 0o755); err != nil {
		return fmt.Errorf("save figures: %w", err)
	}
	for _, d := range drawings {
		if _, err := d.Figure.Save(filepath.Join(s.Run.FiguresDir(), d.Name)); err != nil {
			return fmt.Errorf("save figure %s: %w", d.Name, err)
		}
	}
	return nil
}
