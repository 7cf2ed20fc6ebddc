package sswe

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"elastography/data"
	"elastography/sswe/metric"
)

// Similarity is what is said of a plane as an image. A value that the plane does not define is NaN.
type Similarity struct {
	Spearman    float64 // over unsaturated pixels, as Concordance
	Concordance float64
	SSIM        float64 // for the display range, over valid pixels
	PSNRDB      float64
}

// similarity clips both images at the plane's display limit, as the scanner's screen does: above it nothing was measured.
func similarity(c Config, s *data.Sample, predictionKPa []float32) Similarity {
	n := s.Grid.Pixels()
	measured, synthetic := make([]float64, n), make([]float64, n)
	var x, y []float64
	for i, valid := range s.Mask {
		if !valid {
			continue
		}
		measured[i] = min(float64(s.TargetKPa[i]), s.ScaleMaxKPa)
		synthetic[i] = min(float64(predictionKPa[i]), s.ScaleMaxKPa)
		if !s.Saturated[i] {
			x, y = append(x, float64(s.TargetKPa[i])), append(y, float64(predictionKPa[i]))
		}
	}
	return Similarity{Spearman: metric.Spearman(x, y), Concordance: metric.Concordance(x, y),
		SSIM:   metric.SSIM(measured, synthetic, s.Grid.Height, s.Grid.Width, c.RangeKPa, s.Mask),
		PSNRDB: metric.PSNR(measured, synthetic, c.RangeKPa, s.Mask)}
}

// levels computes each statistic over pixels, planes and patients.
func (v *evaluation) levels() {
	patients := make([]tally, len(v.patients))
	for k, t := range v.tallies {
		patients[v.patientOf[k]].plus(t, 1)
	}
	m := &v.result.Metrics
	for _, s := range []struct {
		name, unit string
		of         func(tally) float64
	}{
		{"mean absolute error", "kPa", tally.mae}, {"root mean squared error", "kPa", tally.rmse}, {"bias", "kPa", tally.bias},
		{"Pearson correlation", "", func(t tally) float64 { return t.unsaturated.Pearson() }},
		{"Lin's concordance", "", func(t tally) float64 { return t.unsaturated.Concordance() }},
		{"calibration slope", "", func(t tally) float64 { slope, _ := t.unsaturated.Line(); return slope }},
	} {
		m.Levels = append(m.Levels, Levels{Name: s.name, Unit: s.unit, Pixel: v.pooled(patients, s.of),
			Plane:   v.overPlanes(func(k int) float64 { return s.of(v.tallies[k]) }),
			Patient: v.overPatients(func(p int) float64 { return s.of(patients[p]) })})
	}
	m.Levels = append(m.Levels, v.rankCorrelation(),
		Levels{Name: "SSIM", Plane: v.overPlanes(func(k int) float64 { return v.result.Similarities[k].SSIM })},
		Levels{Name: "PSNR", Unit: "dB", Plane: v.overPlanes(func(k int) float64 { return v.result.Similarities[k].PSNRDB })})
}

// pooled is a statistic of all pixels together.
func (v *evaluation) pooled(patients []tally, of func(tally) float64) *Level {
	return level(v.draws.estimate(func(weights []float64) float64 {
		var all tally
		for p, w := range weights {
			all.plus(patients[p], w)
		}
		return of(all)
	}))
}

// overPlanes is the mean of a statistic over planes.
func (v *evaluation) overPlanes(of func(plane int) float64) *Level {
	return v.over(v.patientOf, of)
}

// overPatients is the mean of a statistic over patients.
func (v *evaluation) overPatients(of func(patient int) float64) *Level {
	each := make([]int, len(v.patients))
	for p := range each {
		each[p] = p
	}
	return v.over(each, of)
}

func (v *evaluation) over(patientOf []int, of func(int) float64) *Level {
	sums := newPerPatient(len(v.patients))
	var values []float64
	for k, p := range patientOf {
		x := of(k)
		if sums.add(p, x); !math.IsNaN(x) && !math.IsInf(x, 0) {
			values = append(values, x)
		}
	}
	l := level(sums.mean(v.draws))
	if l != nil && len(values) > 1 {
		l.SD = stat.StdDev(values, nil)
	}
	return l
}

func level(e Estimate, ok bool) *Level {
	if !ok {
		return nil
	}
	return &Level{Estimate: e}
}

// rankCorrelation is Spearman's, which has no sums: its order is made once, for all resamplings.
func (v *evaluation) rankCorrelation() Levels {
	var x, y []float64
	var patient []int
	of := make([][2][]float64, len(v.patients))
	for k, s := range v.Test {
		p := v.patientOf[k]
		for i, valid := range s.Mask {
			if valid && !s.Saturated[i] {
				measured, synthetic := float64(s.TargetKPa[i]), float64(v.Predictions[k].KPa[i])
				x, y, patient = append(x, measured), append(y, synthetic), append(patient, p)
				of[p] = [2][]float64{append(of[p][0], measured), append(of[p][1], synthetic)}
			}
		}
	}
	return Levels{Name: "Spearman correlation", Pixel: level(v.draws.estimate(metric.NewRankPairs(x, y, patient, len(v.patients)).Spearman)),
		Plane:   v.overPlanes(func(k int) float64 { return v.result.Similarities[k].Spearman }),
		Patient: v.overPatients(func(p int) float64 { return metric.Spearman(of[p][0], of[p][1]) })}
}

// agreement compares plane means and patient means.
func (v *evaluation) agreement() {
	byPatient := make([][]float64, len(v.patients))
	for k, p := range v.result.Planes {
		byPatient[v.patientOf[k]] = append(byPatient[v.patientOf[k]], p.SyntheticKPa-p.MeasuredKPa)
	}
	limits := func(weights []float64) metric.Limits {
		var differences []float64
		var cluster []int
		drawn := 0
		for p, w := range weights {
			for range int(w) { // a patient drawn twice is two patients
				differences = append(differences, byPatient[p]...)
				cluster = append(cluster, slices.Repeat([]int{drawn}, len(byPatient[p]))...)
				drawn++
			}
		}
		return metric.BlandAltmanClustered(differences, cluster)
	}
	of := func(value func(metric.Limits) float64) Estimate {
		e, _ := v.draws.estimate(func(weights []float64) float64 { return value(limits(weights)) })
		return e
	}
	bias, lower, upper := of(func(l metric.Limits) float64 { return l.Bias }), of(func(l metric.Limits) float64 { return l.Lower }),
		of(func(l metric.Limits) float64 { return l.Upper })
	m := &v.result.Metrics
	m.BlandAltman = Agreement{BiasKPa: bias.Value, LowerKPa: lower.Value, UpperKPa: upper.Value,
		BiasCI95: bias.CI95, LowerCI95: lower.CI95, UpperCI95: upper.CI95, Differences: len(v.Test)}

	means := make([]float64, len(v.patients))
	for p, differences := range byPatient {
		means[p] = stat.Mean(differences, nil)
	}
	l := metric.BlandAltman(means)
	m.BlandAltmanPatients = Agreement{BiasKPa: l.Bias, LowerKPa: l.Lower, UpperKPa: l.Upper,
		BiasCI95: l.BiasCI, LowerCI95: l.LowerCI, UpperCI95: l.UpperCI, Differences: l.N}
}
