package plots

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// example is a figure drawn from invented data that look like a study's.
type example struct {
	name string
	draw func() (*Figure, error)
}

var examples = []example{
	{"panels", func() (*Figure, error) {
		return Panels([]PanelRow{titled(plane(1, 48, 40, false), "P041, mid: best", "MAE 3.1 kPa"), titled(plane(2, 48, 40, false), "P047, base: worst", "MAE 8.9 kPa")}, Style{Simulated: true})
	}},
	{"panels_uncertainty_jet", func() (*Figure, error) {
		return Panels([]PanelRow{titled(plane(3, 56, 60, true), "P044, apex: median", "MAE 4.7 kPa")}, Style{Map: "jet", ScaleMaxKPa: 70})
	}},
	{"learning_curves", func() (*Figure, error) { return LearningCurves(history(60), Style{Simulated: true}) }},
	{"error_distribution", func() (*Figure, error) { return ErrorDistribution(errorSample(), Style{Simulated: true}) }},
	{"measured_vs_synthetic", func() (*Figure, error) {
		measured, synthetic := pairs(60000)
		return MeasuredVsSynthetic(measured, synthetic, Fit{Slope: 0.71, Intercept: 6.2, R: 0.83, MAEKPa: 4.6}, Style{Simulated: true})
	}},
	{"bland_altman", func() (*Figure, error) { return BlandAltman(agreement(10), Style{Simulated: true}) }},
	{"bland_altman_few_patients", func() (*Figure, error) { return BlandAltman(agreement(4), Style{}) }},
	{"roc", func() (*Figure, error) {
		return ROC([]ROCCurve{curve("SWE, measured", 2.2, 0.94, 0.88, 0.98), curve("sSWE, from B-mode", 1.5, 0.86, 0.78, 0.92), curve("echogenicity", 0.7, 0.69, 0.60, 0.77)}, Style{Simulated: true})
	}},
	{"baselines", func() (*Figure, error) {
		return Baselines([]BaselineRow{
			{Name: "sSWE network", MAEKPa: 4.7, Low: 4.1, High: 5.4, Model: true},
			{Name: "without skip connections", MAEKPa: 5.2, Low: 4.6, High: 5.9},
			{Name: "echogenicity regression", MAEKPa: 7.9, Low: 7.0, High: 8.9},
			{Name: "zone and depth prior", MAEKPa: 7.1, Low: 6.3, High: 8.0},
			{Name: "cohort median", MAEKPa: 8.6, Low: 7.6, High: 9.7},
			{Name: "oracle, blurred target", MAEKPa: 1.9, Low: math.NaN(), High: math.NaN()},
		}, Style{Simulated: true})
	}},
	{"differences", func() (*Figure, error) {
		return Differences([]DifferenceRow{
			{Group: "network", Name: "plain encoder-decoder", KPa: 0.42, Low: 0.11, High: 0.75},
			{Group: "network", Name: "half the channels", KPa: 0.08, Low: -0.12, High: 0.29},
			{Group: "loss", Name: "loss l2", KPa: -0.05, Low: -0.21, High: 0.10},
			{Group: "patients", Name: "10 of 40 training patients", KPa: 1.31, Low: 0.62, High: 2.04},
		}, Style{Simulated: true})
	}},
	{"error_by_group", func() (*Figure, error) { return ErrorByGroup(groupErrors(), Style{Simulated: true}) }},
	{"network", func() (*Figure, error) { return Network(unet(96, 64, 4, 16), Style{}) }},
	{"field", func() (*Figure, error) {
		r := plane(5, 64, 56, false)
		return Field(r.SWE, "Shear-wave elastography", "Young's modulus (kPa)", "", Style{Simulated: true})
	}},
	{"grayscale", func() (*Figure, error) {
		return Grayscale(plane(6, 96, 80, false).BMode, "B-mode", Style{Simulated: true})
	}},
	{"side_by_side", func() (*Figure, error) { return SideBySide(story(), Style{Simulated: true}) }},
	{"latent_space", func() (*Figure, error) { return LatentSpace(latent(), Style{Simulated: true}) }},
	{"uncertainty_calibration", func() (*Figure, error) { return UncertaintyCalibration(calibration(), Style{Simulated: true}) }},
	{"lines", func() (*Figure, error) { return Lines(phantomChecks(), Style{Simulated: true}) }},
}

func titled(r PanelRow, title, note string) PanelRow {
	r.Title, r.Note = title, note
	return r
}

func stream(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 7)) }

func history(n int) []HistoryPoint {
	rng := stream(1)
	var h []HistoryPoint
	for e := 1; e <= n; e++ {
		fall := math.Exp(-float64(e) / 9)
		pt := HistoryPoint{Epoch: e, Step: 15 * e, TrainMAEKPa: 3.6 + 9*fall + 0.1*rng.NormFloat64(), ValMAEKPa: 4.7 + 8*fall + 0.0006*math.Pow(float64(e-35), 2) + 0.25*rng.NormFloat64(), LearningRate: 1e-3}
		if e == 1 {
			pt.ValMAEKPa = math.NaN()
		}
		if e > 40 {
			pt.LearningRate = 2e-4
		}
		h = append(h, pt)
	}
	return h
}

func errorSample() ErrorSample {
	rng := stream(2)
	e := ErrorSample{Baselines: map[string]float64{"cohort median": 8.6, "zone prior": 7.1, "echogenicity": 7.4}}
	for range 40000 {
		e.PixelErrorKPa = append(e.PixelErrorKPa, float32(-0.8+4*rng.NormFloat64()*math.Exp(0.5*rng.NormFloat64())))
	}
	for patient := range 10 {
		level := 4.6 + 1.1*rng.NormFloat64()
		for range 3 {
			e.PlaneMAEKPa = append(e.PlaneMAEKPa, math.Max(1.5, level+0.8*rng.NormFloat64()))
			e.PlanePatient = append(e.PlanePatient, fmt.Sprintf("P%03d", 41+patient))
		}
	}
	return e
}

func pairs(n int) (measured, synthetic []float32) {
	rng := stream(3)
	for range n {
		m := 20 * math.Exp(0.35*rng.NormFloat64())
		if rng.Float64() < 0.08 {
			m = 55 + 9*rng.NormFloat64()
		}
		s := 6.2 + 0.71*m + 3.5*rng.NormFloat64()
		if rng.Float64() < 0.02 {
			m = math.NaN()
		}
		measured, synthetic = append(measured, float32(math.Min(m, 70))), append(synthetic, float32(s))
	}
	return measured, synthetic
}

func agreement(patients int) BlandAltmanData {
	rng := stream(4)
	d := BlandAltmanData{BiasKPa: -1.9, LowerKPa: -14.6, UpperKPa: 10.8}
	for p := range patients {
		for range 8 {
			m := 12 + 45*rng.Float64()
			d.MeanKPa = append(d.MeanKPa, m)
			d.DifferenceKPa = append(d.DifferenceKPa, 4-0.2*m+5*rng.NormFloat64())
			d.Group = append(d.Group, fmt.Sprintf("P%03d", 41+p))
		}
	}
	return d
}

// curve is the binormal characteristic of two classes d standard deviations apart, from 60 samples.
func curve(name string, d, auc, low, high float64) ROCCurve {
	r := ROCCurve{Name: name, AUC: auc, Low: low, High: high}
	upper := func(z float64) float64 { return 0.5 * math.Erfc(z/math.Sqrt2) }
	for k := 0; k <= 60; k++ {
		cut := 4 - 8*float64(k)/60
		r.FalsePositive, r.TruePositive = append(r.FalsePositive, upper(cut)), append(r.TruePositive, upper(cut-d))
	}
	r.FalsePositive, r.TruePositive = append([]float64{0}, append(r.FalsePositive, 1)...), append([]float64{0}, append(r.TruePositive, 1)...)
	if name != "echogenicity" {
		r.Mark = &[2]float64{upper(1), upper(1 - d)}
	}
	return r
}

func groupErrors() []GroupError {
	facets := []struct {
		name   string
		groups []string
	}{
		{"Stiffness (kPa)", []string{"< 20", "20–35", "35–50", "> 50"}},
		{"Zone", []string{"PZ", "TZ", "CZ", "AFMS", "tumour"}},
		{"Depth (mm)", []string{"0–10", "10–20", "20–30", "> 30"}},
		{"ISUP grade", []string{"1", "2", "3", "4–5"}},
	}
	var out []GroupError
	for f, facet := range facets {
		for g, name := range facet.groups {
			mae := 3.4 + float64(g)*1.3 + 0.4*float64(f)
			out = append(out, GroupError{Facet: facet.name, Group: name, MAEKPa: mae, BiasKPa: 1.5 - 1.6*float64(g), Low: mae - 0.5 - 0.2*float64(g), High: mae + 0.6 + 0.3*float64(g), N: 90000 / (1 + 9*g)})
		}
	}
	return out
}

// unet describes an encoder-decoder of the given levels below the first.
func unet(height, width, levels, channels int) []NetworkLayer {
	var layers []NetworkLayer
	add := func(kind string, h, w, c, from int) int {
		layers = append(layers, NetworkLayer{Name: fmt.Sprintf("%s%d", kind, len(layers)), Kind: kind, Height: h, Width: w, Channels: c, Params: 9 * c * c, SkipFrom: from})
		return len(layers) - 1
	}
	add("input", height, width, 1, -1)
	var skips []int
	h, w, c := height, width, channels
	for range levels {
		add("conv", h, w, c, -1)
		skips = append(skips, add("conv", h, w, c, -1))
		h, w = h/2, w/2
		add("pool", h, w, c, -1)
		c *= 2
	}
	add("conv", h, w, c, -1)
	add("conv", h, w, c, -1)
	for k := levels - 1; k >= 0; k-- {
		h, w, c = h*2, w*2, c/2
		add("up", h, w, 2*c, -1)
		add("concat", h, w, 3*c, skips[k])
		add("conv", h, w, c, -1)
		add("conv", h, w, c, -1)
	}
	add("output", h, w, 1, -1)
	return layers
}

func story() []LabelledMap {
	r := plane(8, 64, 56, false)
	anatomy := Map{r.BMode.Height, r.BMode.Width, r.BMode.MMPerPx, make([]float32, len(r.Labels))}
	truth := Map{r.BMode.Height, r.BMode.Width, r.BMode.MMPerPx, make([]float32, len(r.Labels))}
	for i, l := range r.Labels {
		anatomy.Values[i] = float32(l)
		truth.Values[i] = []float32{12, 19, 27}[min(int(l), 2)]
		if l >= firstTumour {
			truth.Values[i] = 62
		}
	}
	return []LabelledMap{
		{Title: "Anatomy", Map: "labels", Field: &anatomy},
		{Title: "True stiffness", Unit: "Young's modulus (kPa)", Field: &truth, Max: 70},
		{Title: "B-mode", Gray: &r.BMode, Outline: r.Labels},
		{Title: "SWE as the scanner shows it", Unit: "Young's modulus (kPa)", Field: &r.SWE, Outline: r.Labels, Max: 70},
	}
}

func latent() LatentPoints {
	rng := stream(9)
	l := LatentPoints{Method: "t-SNE, perplexity 30", Score: "scanner mixing 0.46 (0.5 is perfect), linear probe AUC 0.58"}
	for i := range 240 {
		k := i % 2
		angle := 2 * math.Pi * rng.Float64()
		r := 10 + 3*rng.NormFloat64()
		l.X = append(l.X, r*math.Cos(angle)+1.5*float64(k))
		l.Y = append(l.Y, r*math.Sin(angle)*0.7)
		l.Group = append(l.Group, []string{"scanner A", "scanner B"}[k])
	}
	return l
}

func calibration() Calibration {
	var c Calibration
	for k := 1; k < 20; k++ {
		q := float64(k) / 20
		c.Nominal, c.Covered = append(c.Nominal, q), append(c.Covered, math.Pow(q, 1.15))
		c.SigmaKPa, c.RMSEKPa = append(c.SigmaKPa, 12*q), append(c.RMSEKPa, 1+11*q+math.Sin(9*q))
		c.Removed = append(c.Removed, q-0.05)
		c.MAEKPa, c.OracleMAEKPa = append(c.MAEKPa, 4.7*(1-0.6*(q-0.05))), append(c.OracleMAEKPa, 4.7*math.Pow(1.05-q, 1.8))
	}
	return c
}

func phantomChecks() []LinePanel {
	rng := stream(11)
	var x, lateral, axial, gauss, r, rayleigh, measured, depth, contrast, low, high []float64
	for k := -40; k <= 40; k++ {
		u := float64(k) / 20
		x = append(x, u)
		sinc := func(v float64) float64 {
			if v == 0 {
				return 0
			}
			return math.Max(-60, 20*math.Log10(math.Abs(math.Sin(v)/v)+1e-6))
		}
		lateral, axial, gauss = append(lateral, sinc(4*u)), append(axial, math.Max(-60, -30*u*u*4)), append(gauss, math.Max(-60, -40*u*u))
	}
	for k := range 40 {
		u := float64(k) / 10
		r, rayleigh, measured = append(r, u), append(rayleigh, u*math.Exp(-u*u/2)), append(measured, u*math.Exp(-u*u/2)*(1+0.06*rng.NormFloat64()))
	}
	for k := range 9 {
		d := 5 + 4*float64(k)
		v := 0.95 - 0.012*d
		depth, contrast, low, high = append(depth, d), append(contrast, v), append(low, v-0.06), append(high, v+0.06)
	}
	return []LinePanel{
		{Title: "Point-spread function at 20 mm", XLabel: "Position (mm)", YLabel: "Level (dB)", YMin: -60, YMax: 0, Series: []LineSeries{{Name: "lateral", X: x, Y: lateral}, {Name: "axial", X: x, Y: axial}}},
		{Title: "Speckle envelope", XLabel: "Amplitude / standard deviation", YLabel: "Probability density", Note: "SNR 1.91", Series: []LineSeries{{Name: "phantom", X: r, Y: measured, Points: true}, {Name: "Rayleigh", X: r, Y: rayleigh, Reference: true}}},
		{Title: "Recovered inclusion contrast", XLabel: "Depth (mm)", YLabel: "Measured / true contrast", YMin: 0, YMax: 1.2, Series: []LineSeries{{Name: "10 mm inclusion with interval", X: depth, Y: contrast, Low: low, High: high}}},
	}
}

func TestExamplesCanBeDrawn(t *testing.T) {
	for _, e := range examples {
		if _, err := e.draw(); err != nil {
			t.Errorf("%s: %v", e.name, err)
		}
	}
}
