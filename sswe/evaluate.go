package sswe

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"elastography/data"
	"elastography/sswe/metric"
)

// Evidence is what an evaluation looks at. Only Training, Test and Predictions must be there.
type Evidence struct {
	Training    []*data.Sample // baselines and cuts are learned from them
	Test        []*data.Sample
	Predictions []Prediction // of Test
	Simulated   bool         // marks the result as a simulation's

	TrainingPredictions []Prediction            // of Training, for the synthetic image's own cut
	Foci                []data.FocusRow         // grades of the tumour foci
	TrueKPa             map[string][]float32    // the tissue's modulus on the grid by plane ID: simulated planes only
	Controls            map[string][]Prediction // of Test, by networks trained on what can't work
}

// Result is an evaluation: the summary, a row for each plane, and what the figures are drawn from.
type Result struct {
	Metrics      Metrics
	Planes       []PlaneError
	Similarities []Similarity // beside Planes
	Tiles        []Tile       // histopathology as registered
	// Curves holds "swe" and "sswe" and, without registration error, "swe_true" and "sswe_true"; empty without
	// histopathology.
	Curves map[string]metric.Curve
	// BaselineMAEKPa[name][k] is the baseline's error on plane k.
	BaselineMAEKPa map[string][]float64
}

// evaluation is an evaluation under way.
type evaluation struct {
	Evidence             // of all folds; without training planes where there is more than one fold
	folds     []Evidence // whose baselines are learned apart; one, unless cross-validated
	config    Config
	result    *Result
	patients  []string // of the test planes, in their order
	patientOf []int    // of each test plane
	draws     resampling
	tallies   []tally // the network's, by plane
}

// Evaluate compares the predictions with the test planes, next to baselines, oracles and controls. It refuses planes
// that would poison the result, a patient in both sets, predictions of another size, and fewer than two patients.
func Evaluate(c Config, e Evidence) (*Result, error) { return evaluate(c, e, []Evidence{e}) }

// EvaluateFolds pools a cross-validation: each test plane is compared with what its own fold's network drew and its own
// fold's training planes taught the baselines. It refuses what Evaluate does, in each fold.
func EvaluateFolds(c Config, folds []Evidence) (*Result, error) {
	all := Evidence{TrueKPa: map[string][]float32{}}
	for _, e := range folds {
		all.Test, all.Predictions = append(all.Test, e.Test...), append(all.Predictions, e.Predictions...)
		all.Simulated, all.Foci = all.Simulated || e.Simulated, e.Foci
		maps.Copy(all.TrueKPa, e.TrueKPa)
	}
	r, err := evaluate(c, all, folds)
	if err == nil {
		r.Metrics.Folds = len(folds)
	}
	return r, err
}

func evaluate(c Config, all Evidence, folds []Evidence) (*Result, error) {
	v := &evaluation{Evidence: all, folds: folds, config: c, result: &Result{Curves: map[string]metric.Curve{}, BaselineMAEKPa: map[string][]float64{}}}
	if err := v.check(); err != nil {
		return nil, fmt.Errorf("evaluate: %w", err)
	}
	v.draws = newResampling(c.Seed, len(v.patients), c.Evaluation.BootstrapSamples)
	m := &v.result.Metrics
	m.Simulated, m.Preset, m.Seed, m.NPatients, m.NPlanes = v.Simulated, c.Preset, c.Seed, len(v.patients), len(v.Test)
	for k, s := range v.Test {
		v.result.Planes = append(v.result.Planes, planeError(s, v.Predictions[k].KPa))
		v.result.Similarities = append(v.result.Similarities, similarity(c, s, v.Predictions[k].KPa))
		v.tallies = append(v.tallies, tallyOf(s, v.Predictions[k].KPa))
	}
	v.errors()
	v.predictors()
	v.levels()
	v.groups()
	v.agreement()
	v.histopathology()
	v.overlaps()
	return v.result, nil
}

// check refuses evidence that no honest number follows from, and lists the patients.
func (v *evaluation) check() error {
	g := v.config.Grid
	if err := checkSamples(v.Test, g); err != nil {
		return err
	}
	for _, fold := range v.folds {
		if len(fold.Training) == 0 {
			return errors.New("there is no training plane: the baselines are learned from them; name a cohort with a training split")
		}
		for _, s := range fold.Test {
			if slices.ContainsFunc(fold.Training, func(t *data.Sample) bool { return t.Patient == s.Patient }) {
				return fmt.Errorf("%w: patient %s is in training and test; give each patient one split in manifest.csv and train again", data.ErrLeak, s.Patient)
			}
		}
	}
	lists := map[string][]Prediction{"the network": v.Predictions}
	for name, p := range v.Controls {
		lists["control "+name] = p
	}
	for name, list := range lists {
		if len(list) != len(v.Test) {
			return fmt.Errorf("%s has %d predictions for %d planes", name, len(list), len(v.Test))
		}
		for k, p := range list {
			if err := checkMap(p.KPa, g); err != nil {
				return fmt.Errorf("%s, plane %s: the prediction %w; train again or evaluate another checkpoint", name, v.Test[k].ID(), err)
			}
		}
	}
	if n := len(v.TrainingPredictions); n != 0 && n != len(v.Training) {
		return fmt.Errorf("%d predictions for %d training planes", n, len(v.Training))
	}
	for id, kPa := range v.TrueKPa {
		if err := checkMap(kPa, g); err != nil {
			return fmt.Errorf("plane %s: the true stiffness %w; simulate the cohort again", id, err)
		}
	}
	for _, s := range v.Test {
		k := slices.Index(v.patients, s.Patient)
		if k < 0 {
			k = len(v.patients)
			v.patients = append(v.patients, s.Patient)
		}
		v.patientOf = append(v.patientOf, k)
	}
	if len(v.patients) < 2 {
		return errors.New("one test patient only: no interval over patients exists; add test patients")
	}
	return nil
}

// checkMap refuses a stiffness map of another size or one that holds what is no number.
func checkMap(kPa []float32, g data.Grid) error {
	if len(kPa) != g.Pixels() {
		return fmt.Errorf("has %d pixels, the grid has %d x %d", len(kPa), g.Height, g.Width)
	}
	for i, x := range kPa {
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			return fmt.Errorf("is %v at pixel %d", x, i)
		}
	}
	return nil
}

// meanOfPlanes is the mean of a number over the planes, with its interval.
func (v *evaluation) meanOfPlanes(values []float64) Estimate {
	p := newPerPatient(len(v.patients))
	for k, x := range values {
		p.add(v.patientOf[k], x)
	}
	e, _ := p.mean(v.draws)
	return e
}

func (v *evaluation) errors() {
	mae := planeValues(v.result.Planes, func(p PlaneError) float64 { return p.MAEKPa })
	perPatient := newPerPatient(len(v.patients))
	for k, x := range mae {
		perPatient.add(v.patientOf[k], x)
	}
	for p := range perPatient.sum {
		perPatient.sum[p] /= perPatient.n[p]
	}
	e := v.meanOfPlanes(mae)
	m := &v.result.Metrics
	m.MAEKPa = Error{Mean: e.Value, SDPlanes: stat.StdDev(mae, nil), SDPatients: stat.StdDev(perPatient.sum, nil), CI95: e.CI95}

	var all tally
	saturated := 0.0
	for _, t := range v.tallies {
		all.plus(t, 1)
		saturated += t.pixels - t.unsaturated.N
	}
	m.NPixels, m.RMSEKPa, m.BiasKPa, m.Saturated = int(all.pixels), all.rmse(), all.bias(), saturated/all.pixels
	m.Pearson = orZero(all.unsaturated.Pearson())
	slope, intercept := all.unsaturated.Line()
	m.Fit = Fit{Slope: orZero(slope), InterceptKPa: orZero(intercept)}
}

// orZero is 0 where there is no spread and so no line.
func orZero(x float64) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return 0
	}
	return x
}

// zoneNames are those of the label maps' values from 1, of every organ that is simulated; the last is any tumour focus.
var zoneNames = []string{"PZ", "TZ", "CZ", "AFMS", "urethra", "lobe", "isthmus", "benign nodule", "tumour"}

// groups splits the error of all pixels by what a reader would ask for.
func (v *evaluation) groups() {
	n := len(v.patients)
	byStiffness, byDepth := newGrouping(n, "<20 kPa", "20-35 kPa", "35-50 kPa", ">50 kPa"), newGrouping(n, "<15 mm", "15-25 mm", ">25 mm")
	byZone := newGrouping(n, zoneNames...)
	byGrade := newGrouping(n, "benign", "ISUP 1", "ISUP 2", "ISUP 3", "ISUP 4", "ISUP 5")
	bySaturation := newGrouping(n, "below the limit", "at the limit")
	grades := gradesOf(v.Foci)
	for k, s := range v.Test {
		patient := v.patientOf[k]
		for i, valid := range s.Mask {
			if !valid {
				continue
			}
			e := errorKPa(s, v.Predictions[k].KPa, i)
			byStiffness.add(bin(float64(s.TargetKPa[i]), 20, 35, 50), patient, e)
			byDepth.add(bin(float64(i/s.Grid.Width)*s.Grid.MMPerPx, 15, 25), patient, e)
			if s.Saturated[i] {
				bySaturation.add(1, patient, e)
			} else {
				bySaturation.add(0, patient, e)
			}
			if s.Labels == nil || s.Labels[i] == 0 {
				continue
			}
			byZone.add(min(int(s.Labels[i]), len(zoneNames))-1, patient, e)
			if !isTumour(s.Labels[i]) {
				byGrade.add(0, patient, e)
			} else if grade := grades[focus{s.Patient, s.Labels[i]}]; grade > 0 {
				byGrade.add(grade, patient, e)
			}
		}
	}
	m := &v.result.Metrics
	m.ByStiffness, m.ByDepth, m.ByZone = byStiffness.list(v.draws), byDepth.list(v.draws), byZone.list(v.draws)
	m.BySaturation = bySaturation.list(v.draws)
	if len(grades) > 0 {
		m.ByGrade = byGrade.list(v.draws)
	}
}

// focus names a tumour focus of a patient by its value in the label maps.
type focus struct {
	patient string
	label   uint8
}

// gradesOf maps each focus to its ISUP grade group, 1 to 5.
func gradesOf(foci []data.FocusRow) map[focus]int {
	grades := make(map[focus]int, len(foci))
	for _, f := range foci {
		grades[focus{f.Patient, f.Focus}] = f.GradeGroup
	}
	return grades
}

func planeValues(planes []PlaneError, value func(PlaneError) float64) []float64 {
	out := make([]float64, len(planes))
	for i, p := range planes {
		out[i] = value(p)
	}
	return out
}
