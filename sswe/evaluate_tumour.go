package sswe

import (
	"math"

	"elastography/data"
	"elastography/sswe/metric"
)

// labelling chooses which histopathology a plane is scored against: nil where the plane has none.
type labelling func(*data.Sample) []uint8

func registered(s *data.Sample) []uint8   { return s.Labels }
func unregistered(s *data.Sample) []uint8 { return s.LabelsTrue }

// regions are the tiles of all planes as parallel slices, as the statistics take them.
type regions struct {
	tiles               []Tile
	patient             []int
	tumour              []bool
	measured, synthetic []float64 // kPa
}

func (r *regions) add(patient int, tiles []Tile) {
	for _, t := range tiles {
		r.tiles, r.patient = append(r.tiles, t), append(r.patient, patient)
		r.tumour = append(r.tumour, t.Tumour)
		r.measured, r.synthetic = append(r.measured, t.MeasuredKPa), append(r.synthetic, t.SyntheticKPa)
	}
}

// regions cuts the test planes; maps are what is scored beside the measured image.
func (v *evaluation) regions(maps [][]float32, of labelling) regions {
	var r regions
	for k, s := range v.Test {
		if labels := of(s); labels != nil {
			r.add(v.patientOf[k], tiles(s, maps[k], labels, v.config.Evaluation))
		}
	}
	return r
}

// area is that under the ROC curve of a score of the regions; ok is false where a class is empty.
func (v *evaluation) area(scores []float64, r regions) (Estimate, bool) {
	return v.draws.area(metric.NewPairs(scores, r.tumour, r.patient, len(v.patients)))
}

func (d resampling) area(p *metric.Pairs) (Estimate, bool) {
	return d.estimate(func(weights []float64) float64 {
		if auc, ok := p.AUC(weights); ok {
			return auc
		}
		return math.NaN()
	})
}

// histopathology scores both images against the labels as registered and, where planes are simulated, the true ones.
func (v *evaluation) histopathology() {
	m, maps := &v.result.Metrics, mapsOf(v.Predictions)
	asRegistered := v.regions(maps, registered)
	v.result.Tiles = asRegistered.tiles
	m.AUC = v.tumour(asRegistered, registered, "")
	m.AUCTrue = v.tumour(v.regions(maps, unregistered), unregistered, "_true")
	m.Lesions, m.LesionsTrue = v.lesions(registered), v.lesions(unregistered)
}

// draw keeps the curves of both images; ok is false where there are not both tumour and benign tiles.
func (r *Result) draw(of regions, suffix string) (ok bool) {
	swe, ok := metric.ROC(of.measured, of.tumour)
	if ok {
		r.Curves["swe"+suffix] = swe
		r.Curves["sswe"+suffix], _ = metric.ROC(of.synthetic, of.tumour)
	}
	return ok
}

// tumour compares both images on the same tiles; nil where there are not both tumour and benign ones.
func (v *evaluation) tumour(r regions, of labelling, suffix string) *AUC {
	if !v.result.draw(r, suffix) {
		return nil
	}
	measured, synthetic := metric.NewPairs(r.measured, r.tumour, r.patient, len(v.patients)), metric.NewPairs(r.synthetic, r.tumour, r.patient, len(v.patients))
	loss, _ := v.draws.estimate(func(weights []float64) float64 {
		a, ok := measured.AUC(weights)
		b, _ := synthetic.AUC(weights)
		if !ok {
			return math.NaN()
		}
		return a - b
	})
	a := &AUC{Loss: Difference{Mean: loss.Value, CI95: loss.CI95}}
	seen := map[int]bool{}
	for i, t := range r.tumour {
		if t {
			a.TumourTiles++
			seen[r.patient[i]] = true
		}
	}
	a.BenignTiles, a.TumourPatients = len(r.tumour)-a.TumourTiles, len(seen)
	sweCut, ssweCut := v.ownCuts(of)
	a.SWE, a.SSWE = v.test(r, r.measured, sweCut), v.test(r, r.synthetic, ssweCut)
	if c, ok := metric.CompareAUC(r.measured, r.synthetic, r.tumour, r.patient); ok && !math.IsNaN(c.P) {
		a.LossP = &c.P
		a.SWE.SE, a.SSWE.SE = math.Sqrt(c.Variance[0]), math.Sqrt(c.Variance[1])
	}
	a.PixelSWE, a.PixelSSWE = v.pixelAreas(of)
	return a
}

// ownCuts are the cuts that serve the training tiles best (Youden), kPa; NaN where these have no tumour. Without
// predictions of the training planes the measured image's cut serves both.
func (v *evaluation) ownCuts(of labelling) (swe, sswe float64) {
	var r regions
	for k, s := range v.Training {
		labels := of(s)
		if labels == nil {
			continue
		}
		kPa := s.TargetKPa
		if v.TrainingPredictions != nil {
			kPa = v.TrainingPredictions[k].KPa
		}
		r.add(0, tiles(s, kPa, labels, v.config.Evaluation))
	}
	measured, ok := metric.ROC(r.measured, r.tumour)
	if !ok {
		return math.NaN(), math.NaN()
	}
	synthetic, _ := metric.ROC(r.synthetic, r.tumour)
	return measured.YoudenCut(), synthetic.YoudenCut()
}

// test is the area and the operating points of one image's stiffness.
func (v *evaluation) test(r regions, scores []float64, ownCutKPa float64) AUCValue {
	area, _ := v.area(scores, r)
	value := AUCValue{AUC: area.Value, CI95: area.CI95, CutKPa: v.config.Evaluation.StiffKPa}
	value.AtClinical = v.operating(r, scores, value.CutKPa)
	value.Sensitivity, value.Specificity = value.AtClinical.Sensitivity.Value, value.AtClinical.Specificity.Value
	if !math.IsNaN(ownCutKPa) {
		own := v.operating(r, scores, ownCutKPa)
		value.AtOwn = &own
	}
	return value
}

func (v *evaluation) operating(r regions, scores []float64, cutKPa float64) Operating {
	byPatient := make([]metric.Counts, len(v.patients))
	var all metric.Counts
	for i, p := range r.patient {
		k := metric.CountsAt(scores[i:i+1], r.tumour[i:i+1], cutKPa)
		byPatient[p].Plus(k, 1)
		all.Plus(k, 1)
	}
	of := func(share func(metric.Counts) float64) Estimate {
		e, _ := v.draws.estimate(func(weights []float64) float64 {
			var k metric.Counts
			for p, w := range weights {
				k.Plus(byPatient[p], w)
			}
			return share(k)
		})
		return e
	}
	return Operating{CutKPa: cutKPa, Sensitivity: of(metric.Counts.Sensitivity), Specificity: of(metric.Counts.Specificity),
		SensitivityWilson: metric.Wilson(all.TruePositive, all.TruePositive+all.FalseNegative),
		SpecificityWilson: metric.Wilson(all.TrueNegative, all.TrueNegative+all.FalsePositive)}
}

// pixelAreas are the areas with each valid pixel of the gland as a region of its own.
func (v *evaluation) pixelAreas(of labelling) (swe, sswe *Estimate) {
	var measured, synthetic []float64
	var tumour []bool
	var patient []int
	for k, s := range v.Test {
		labels := of(s)
		for i, valid := range s.Mask {
			if valid && labels != nil && labels[i] > 0 {
				measured, synthetic = append(measured, float64(s.TargetKPa[i])), append(synthetic, float64(v.Predictions[k].KPa[i]))
				tumour, patient = append(tumour, isTumour(labels[i])), append(patient, v.patientOf[k])
			}
		}
	}
	area := func(scores []float64) *Estimate {
		e, ok := v.draws.area(metric.NewPairs(scores, tumour, patient, len(v.patients)))
		if !ok {
			return nil
		}
		return &e
	}
	return area(measured), area(synthetic)
}
