package sswe

import (
	"fmt"
	"maps"
	"slices"

	"elastography/data"
	"elastography/sswe/metric"
)

// predictor is anything that gives each test plane a stiffness map, kPa.
type predictor struct {
	name, kind string
	maps       [][]float32 // by test plane
}

// blurWidthsMM are the widths of the blurred targets: about the scanner's own resolution, a small lesion, a large one.
var blurWidthsMM = []float64{2, 5, 10}

// predictors fills the table of the network beside all that it is to be compared with.
func (v *evaluation) predictors() {
	network := predictor{name: "sSWE network", kind: KindNetwork, maps: mapsOf(v.Predictions)}
	others := v.baselines()
	for _, name := range slices.Sorted(maps.Keys(v.Controls)) {
		others = append(others, predictor{name: name, kind: KindControl, maps: mapsOf(v.Controls[name])})
	}
	others = append(others, v.oracles()...)

	m := &v.result.Metrics
	m.Baselines = make(map[string]Baseline)
	for _, p := range others {
		if p.kind != KindBaseline {
			continue
		}
		mae := v.planeMAEs(p)
		e := v.meanOfPlanes(mae)
		v.result.BaselineMAEKPa[p.name] = mae
		m.Baselines[p.name] = Baseline{MAEKPa: e.Value, CI95: e.CI95}
		if m.Best == "" || e.Value < m.Baselines[m.Best].MAEKPa {
			m.Best = p.name
		}
	}
	best := v.result.BaselineMAEKPa[m.Best]
	advantage := make([]float64, len(best))
	for k, p := range v.result.Planes {
		advantage[k] = best[k] - p.MAEKPa
	}
	a := v.meanOfPlanes(advantage)
	m.Advantage = Difference{Mean: a.Value, CI95: a.CI95}
	for _, p := range append([]predictor{network}, others...) {
		m.Predictors = append(m.Predictors, v.row(p, best))
	}
	m.Skill, m.SkillCI95 = m.Predictors[0].Skill.Value, m.Predictors[0].Skill.CI95
}

// baselines draw each test plane from what the training planes of its fold teach. One that a fold can't learn, such as
// zones without histopathology, is left out.
func (v *evaluation) baselines() []predictor {
	var list []predictor
	for _, fold := range v.folds {
		for _, b := range fitBaselines(fold.Training) {
			k := slices.IndexFunc(list, func(p predictor) bool { return p.name == b.name })
			if k < 0 {
				k, list = len(list), append(list, predictor{name: b.name, kind: KindBaseline})
			}
			for _, s := range fold.Test {
				list[k].maps = append(list[k].maps, b.predict(s))
			}
		}
	}
	return slices.DeleteFunc(list, func(p predictor) bool { return len(p.maps) < len(v.Test) })
}

func mapsOf(predictions []Prediction) [][]float32 {
	out := make([][]float32, len(predictions))
	for k, p := range predictions {
		out[k] = p.KPa
	}
	return out
}

func (v *evaluation) each(name, kind string, predict func(*data.Sample) []float32) predictor {
	p := predictor{name: name, kind: kind, maps: make([][]float32, len(v.Test))}
	for k, s := range v.Test {
		p.maps[k] = predict(s)
	}
	return p
}

// oracles know the answer in part. The plane's own median says how much of the error is between planes; the blurred
// target how much is resolution; the true stiffness what the scanner itself adds.
func (v *evaluation) oracles() []predictor {
	list := []predictor{v.each("own median of the plane", KindOracle, func(s *data.Sample) []float32 {
		return constant(s, float32(medianKPa([]*data.Sample{s})))
	})}
	for _, mm := range blurWidthsMM {
		list = append(list, v.each(fmt.Sprintf("target blurred to %g mm", mm), KindOracle, func(s *data.Sample) []float32 {
			return blurred(s, mm)
		}))
	}
	for _, s := range v.Test {
		if v.TrueKPa[s.ID()] == nil {
			return list
		}
	}
	return append(list, v.each("true stiffness of the tissue", KindOracle, func(s *data.Sample) []float32 { return v.TrueKPa[s.ID()] }))
}

// blurred is the measured stiffness, smoothed by a Gaussian of that full width at half maximum over the valid pixels.
func blurred(s *data.Sample, widthMM float64) []float32 {
	target := make([]float64, len(s.TargetKPa))
	for i, t := range s.TargetKPa {
		target[i] = float64(t)
	}
	const widthOfSigma = 2.3548
	out := make([]float32, len(target))
	for i, b := range metric.Blur(target, s.Grid.Height, s.Grid.Width, widthMM/widthOfSigma/s.Grid.MMPerPx, s.Mask) {
		out[i] = float32(b)
	}
	return out
}

func (v *evaluation) planeMAEs(p predictor) []float64 {
	mae := make([]float64, len(v.Test))
	for k, s := range v.Test {
		mae[k] = planeError(s, p.maps[k]).MAEKPa
	}
	return mae
}

// row scores one predictor; best is the best baseline's error by plane.
func (v *evaluation) row(p predictor, best []float64) Predictor {
	n := len(v.patients)
	tallies, mae, reference := make([]tally, n), newPerPatient(n), newPerPatient(n)
	for k, s := range v.Test {
		t := tallyOf(s, p.maps[k])
		tallies[v.patientOf[k]].plus(t, 1)
		mae.add(v.patientOf[k], t.mae())
		reference.add(v.patientOf[k], best[k])
	}
	r := Predictor{Name: p.name, Kind: p.kind}
	r.MAEKPa, _ = mae.mean(v.draws)
	r.Skill, _ = v.draws.estimate(func(w []float64) float64 { return 1 - weighted(w, mae.sum)/weighted(w, reference.sum) })
	r.RMSEKPa, r.BiasKPa = v.pooled(tallies, tally.rmse).Estimate, v.pooled(tallies, tally.bias).Estimate
	if l := v.pooled(tallies, func(t tally) float64 { return t.unsaturated.Pearson() }); l != nil {
		r.Pearson = &l.Estimate
	}
	regions := v.regions(p.maps, registered)
	if e, ok := v.area(regions.synthetic, regions); ok {
		r.AUC = &e
	}
	return r
}

// TrueStiffness brings the true modulus of a simulated plane to a grid as the scanner's own values come there: the same
// area average over the same valid pixels, with the display limit; kPa, 0 where the scanner shows none. It is for
// yardsticks, never for training.
func TrueStiffness(p *data.Plane, g data.Grid) []float32 {
	truth := *p
	truth.SWEKPa = make([]float32, len(p.SWEKPa))
	for i, kPa := range p.SWEKPa {
		if truth.SWEKPa[i] = min(p.ETrueKPa[i], float32(p.ScaleMaxKPa)); !p.Valid(i) {
			truth.SWEKPa[i] = kPa // NaN
		}
	}
	return truth.Resample(g).TargetKPa
}
