package sswe

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"elastography/data"
)

// Metrics is metrics.json: the study's result next to what a trivial predictor reaches. Every interval is a 95 %
// bootstrap interval over patients.
type Metrics struct {
	Simulated bool    `json:"simulated"` // true: every number below is a simulation's, not a clinical one
	Preset    string  `json:"preset"`
	Seed      uint64  `json:"seed"`
	Backend   string  `json:"backend"`
	NPatients int     `json:"n_patients"`
	NPlanes   int     `json:"n_planes"`
	NPixels   int     `json:"n_pixels"`
	Saturated float64 `json:"saturated_share"` // of the pixels: censored at the display limit
	Weights   int     `json:"network_weights"`

	MAEKPa    Error               `json:"mae_kpa"` // the mean over planes of each plane's mean absolute error
	RMSEKPa   float64             `json:"rmse_kpa"`
	BiasKPa   float64             `json:"bias_kpa"`
	Pearson   float64             `json:"pearson"` // over all unsaturated pixels
	Fit       Fit                 `json:"calibration"`
	Baselines map[string]Baseline `json:"baselines"`
	Best      string              `json:"best_baseline"`
	Advantage Difference          `json:"advantage_kpa"` // best baseline's error minus the network's, paired
	Skill     float64             `json:"skill"`         // 1 - MAE / MAE of the best baseline

	AUC         *AUC         `json:"auc"` // nil without histopathology
	BlandAltman Agreement    `json:"bland_altman"`
	ByStiffness []GroupError `json:"by_stiffness"`
	ByZone      []GroupError `json:"by_zone,omitempty"`
	ByDepth     []GroupError `json:"by_depth"`
}

// Error is a mean absolute error with its spreads, kPa. P2 gives "4.5 ± 0.96" without saying over what: both are here.
type Error struct {
	Mean       float64  `json:"mean"`
	SDPlanes   float64  `json:"sd_planes"`
	SDPatients float64  `json:"sd_patients"`
	CI95       Interval `json:"ci95"`
}

// Baseline is a trivial predictor's error, kPa.
type Baseline struct {
	MAEKPa float64  `json:"mae_kpa"`
	CI95   Interval `json:"ci95"`
}

// Difference is a paired difference.
type Difference struct {
	Mean float64  `json:"mean"`
	CI95 Interval `json:"ci95"`
}

// Fit is the line synthetic = Slope x measured + Intercept over unsaturated pixels: slope 1 is calibrated, less is
// regression to the mean.
type Fit struct {
	Slope        float64 `json:"slope"`
	InterceptKPa float64 `json:"intercept_kpa"`
}

// Agreement is Bland and Altman's: synthetic minus measured plane means, with limits of 1.96 standard deviations, kPa.
type Agreement struct {
	BiasKPa  float64 `json:"bias_kpa"`
	LowerKPa float64 `json:"lower_kpa"`
	UpperKPa float64 `json:"upper_kpa"`
}

// AUC compares measured and synthetic stiffness as tests for tumour on the same tiles.
type AUC struct {
	SWE         AUCValue   `json:"swe"`
	SSWE        AUCValue   `json:"sswe"`
	Loss        Difference `json:"swe_minus_sswe"`
	TumourTiles int        `json:"tumour_tiles"`
	BenignTiles int        `json:"benign_tiles"`
}

// AUCValue is an area under the ROC curve and the operating point at the clinical cut.
type AUCValue struct {
	AUC         float64  `json:"auc"`
	CI95        Interval `json:"ci95"`
	CutKPa      float64  `json:"cut_kpa"`
	Sensitivity float64  `json:"sensitivity"`
	Specificity float64  `json:"specificity"`
}

// GroupError is the error within a group of pixels.
type GroupError struct {
	Group   string  `json:"group"`
	MAEKPa  float64 `json:"mae_kpa"`
	BiasKPa float64 `json:"bias_kpa"`
	Pixels  int     `json:"pixels"`
}

// Result is an evaluation: the summary, a row for each plane, and what the figures are drawn from.
type Result struct {
	Metrics Metrics
	Planes  []PlaneError
	Tiles   []Tile
	Curves  map[string]Curve // "swe" and "sswe"; empty without histopathology
	// BaselineMAEKPa[name][k] is the baseline's error on plane k.
	BaselineMAEKPa map[string][]float64
}

// Evaluate compares predictions with the test samples and with the baselines fitted on the training samples.
// Simulated marks the result as a simulation's. A patient in both sets is refused.
func Evaluate(c Config, training, test []*data.Sample, predictions []Prediction, simulated bool) (*Result, error) {
	if err := checkSamples(test, c.Grid); err != nil {
		return nil, fmt.Errorf("evaluate: %w", err)
	}
	if len(predictions) != len(test) {
		return nil, fmt.Errorf("evaluate: %d predictions for %d planes", len(predictions), len(test))
	}
	for _, s := range test {
		if slices.ContainsFunc(training, func(t *data.Sample) bool { return t.Patient == s.Patient }) {
			return nil, fmt.Errorf("evaluate: %w: patient %s is in training and test", data.ErrLeak, s.Patient)
		}
	}
	r := &Result{Curves: map[string]Curve{}, BaselineMAEKPa: map[string][]float64{}}
	var patientOf []string
	for k, s := range test {
		r.Planes = append(r.Planes, planeError(s, predictions[k].KPa))
		patientOf = append(patientOf, s.Patient)
	}
	byPatient := groups(patientOf)
	if len(byPatient) < 2 {
		return nil, errors.New("evaluate: one test patient only: no interval over patients exists; add test patients")
	}
	m := &r.Metrics
	m.Simulated, m.Preset, m.Seed, m.NPatients, m.NPlanes = simulated, c.Preset, c.Seed, len(byPatient), len(test)
	r.errors(c, byPatient)
	r.baselines(c, training, test, byPatient)
	r.pixels(c, test, predictions)
	r.agreement()
	r.histopathology(c, test, predictions)
	return r, nil
}

func (r *Result) errors(c Config, byPatient [][]int) {
	mae := planeValues(r.Planes, func(p PlaneError) float64 { return p.MAEKPa })
	var perPatient []float64
	for _, planes := range byPatient {
		v, _ := meanOf(mae, [][]int{planes}, []int{0})
		perPatient = append(perPatient, v)
	}
	r.Metrics.MAEKPa = Error{Mean: stat.Mean(mae, nil), SDPlanes: stat.StdDev(mae, nil), SDPatients: stat.StdDev(perPatient, nil),
		CI95: bootstrap(c.Seed, len(byPatient), c.Evaluation.BootstrapSamples, func(chosen []int) (float64, bool) {
			return meanOf(mae, byPatient, chosen)
		})}
}

func (r *Result) baselines(c Config, training, test []*data.Sample, byPatient [][]int) {
	m := &r.Metrics
	m.Baselines = make(map[string]Baseline)
	for _, b := range fitBaselines(training) {
		mae := make([]float64, len(test))
		for k, s := range test {
			mae[k] = planeError(s, b.predict(s)).MAEKPa
		}
		r.BaselineMAEKPa[b.name] = mae
		m.Baselines[b.name] = Baseline{MAEKPa: stat.Mean(mae, nil),
			CI95: bootstrap(c.Seed, len(byPatient), c.Evaluation.BootstrapSamples, func(chosen []int) (float64, bool) {
				return meanOf(mae, byPatient, chosen)
			})}
		if m.Best == "" || m.Baselines[b.name].MAEKPa < m.Baselines[m.Best].MAEKPa {
			m.Best = b.name
		}
	}
	advantage := make([]float64, len(test))
	for k, p := range r.Planes {
		advantage[k] = r.BaselineMAEKPa[m.Best][k] - p.MAEKPa
	}
	m.Advantage = Difference{Mean: stat.Mean(advantage, nil),
		CI95: bootstrap(c.Seed, len(byPatient), c.Evaluation.BootstrapSamples, func(chosen []int) (float64, bool) {
			return meanOf(advantage, byPatient, chosen)
		})}
	m.Skill = 1 - m.MAEKPa.Mean/m.Baselines[m.Best].MAEKPa
}

// pixels fills what is computed over all pixels at once.
func (r *Result) pixels(c Config, test []*data.Sample, predictions []Prediction) {
	m := &r.Metrics
	var measured, synthetic []float64
	var squares, sum float64
	byStiffness, byDepth, byZone := newGrouping("<20 kPa", "20-35 kPa", "35-50 kPa", ">50 kPa"),
		newGrouping("<15 mm", "15-25 mm", ">25 mm"), newGrouping("PZ", "TZ", "CZ", "AFMS", "urethra", "tumour")
	saturated := 0
	for k, s := range test {
		for i, valid := range s.Mask {
			if !valid {
				continue
			}
			e := errorKPa(s, predictions[k].KPa, i)
			squares, sum, m.NPixels = squares+e*e, sum+e, m.NPixels+1
			if s.Saturated[i] {
				saturated++
			} else {
				measured = append(measured, float64(s.TargetKPa[i]))
				synthetic = append(synthetic, float64(predictions[k].KPa[i]))
			}
			byStiffness.add(bin(float64(s.TargetKPa[i]), 20, 35, 50), e)
			byDepth.add(bin(float64(i/s.Grid.Width)*s.Grid.MMPerPx, 15, 25), e)
			if s.Labels != nil && s.Labels[i] > 0 {
				byZone.add(min(int(s.Labels[i]), 6)-1, e)
			}
		}
	}
	n := float64(m.NPixels)
	m.RMSEKPa, m.BiasKPa, m.Saturated = math.Sqrt(squares/n), sum/n, float64(saturated)/n
	m.ByStiffness, m.ByDepth, m.ByZone = byStiffness.list(), byDepth.list(), byZone.list()
	if len(measured) > 1 {
		m.Fit.InterceptKPa, m.Fit.Slope = stat.LinearRegression(measured, synthetic, nil, false)
		m.Pearson = stat.Correlation(measured, synthetic, nil)
	}
	for _, v := range []*float64{&m.Fit.Slope, &m.Fit.InterceptKPa, &m.Pearson} { // no spread, no line
		if math.IsNaN(*v) || math.IsInf(*v, 0) {
			*v = 0
		}
	}
}

func (r *Result) agreement() {
	difference := planeValues(r.Planes, func(p PlaneError) float64 { return p.SyntheticKPa - p.MeasuredKPa })
	mean, sd := stat.MeanStdDev(difference, nil)
	r.Metrics.BlandAltman = Agreement{BiasKPa: mean, LowerKPa: mean - 1.96*sd, UpperKPa: mean + 1.96*sd}
}

// histopathology scores tiles against the labels as registered.
func (r *Result) histopathology(c Config, test []*data.Sample, predictions []Prediction) {
	for k, s := range test {
		if s.Labels != nil {
			r.Tiles = append(r.Tiles, tiles(s, predictions[k].KPa, s.Labels, c.Evaluation)...)
		}
	}
	var patientOf []string
	var tumour []bool
	var swe, sswe []float64
	for _, t := range r.Tiles {
		patientOf = append(patientOf, t.Patient)
		tumour = append(tumour, t.Tumour)
		swe, sswe = append(swe, t.MeasuredKPa), append(sswe, t.SyntheticKPa)
	}
	sweCurve, ok := roc(swe, tumour)
	if !ok {
		return
	}
	ssweCurve, _ := roc(sswe, tumour)
	r.Curves["swe"], r.Curves["sswe"] = sweCurve, ssweCurve
	byPatient := groups(patientOf)
	interval := func(statistic func(t []bool, swe, sswe []float64) (float64, bool)) Interval {
		return bootstrap(c.Seed, len(byPatient), c.Evaluation.BootstrapSamples, func(chosen []int) (float64, bool) {
			var t []bool
			var a, b []float64
			for _, p := range chosen {
				for _, i := range byPatient[p] {
					t, a, b = append(t, tumour[i]), append(a, swe[i]), append(b, sswe[i])
				}
			}
			return statistic(t, a, b)
		})
	}
	auc := &AUC{}
	for _, t := range tumour {
		if t {
			auc.TumourTiles++
		}
	}
	auc.BenignTiles = len(tumour) - auc.TumourTiles
	value := func(curve Curve, scores []float64, ci Interval) AUCValue {
		v := AUCValue{AUC: curve.AUC, CI95: ci, CutKPa: c.Evaluation.StiffKPa}
		v.Sensitivity, v.Specificity = operatingPoint(scores, tumour, v.CutKPa)
		return v
	}
	auc.SWE = value(sweCurve, swe, interval(func(t []bool, a, _ []float64) (float64, bool) { k, ok := roc(a, t); return k.AUC, ok }))
	auc.SSWE = value(ssweCurve, sswe, interval(func(t []bool, _, b []float64) (float64, bool) { k, ok := roc(b, t); return k.AUC, ok }))
	auc.Loss = Difference{Mean: sweCurve.AUC - ssweCurve.AUC, CI95: interval(func(t []bool, a, b []float64) (float64, bool) {
		ka, ok := roc(a, t)
		kb, _ := roc(b, t)
		return ka.AUC - kb.AUC, ok
	})}
	r.Metrics.AUC = auc
}

func planeValues(planes []PlaneError, value func(PlaneError) float64) []float64 {
	out := make([]float64, len(planes))
	for i, p := range planes {
		out[i] = value(p)
	}
	return out
}

// BaselineNames lists the baselines from the best to the worst.
func (m Metrics) BaselineNames() []string {
	names := slices.Sorted(maps.Keys(m.Baselines))
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(m.Baselines[a].MAEKPa, m.Baselines[b].MAEKPa) })
	return names
}

// SaturatedPercent is Saturated in percent.
func (m Metrics) SaturatedPercent() float64 { return 100 * m.Saturated }
