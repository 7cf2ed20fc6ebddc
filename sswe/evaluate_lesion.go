package sswe

import (
	"math"

	"gonum.org/v1/gonum/stat"

	"elastography/data"
	"elastography/sswe/metric"
)

// gcnrBinKPa is the width of the histograms behind gCNR, kPa: wide enough for the fifty pixels of a small lesion.
const gcnrBinKPa = 2.5

// lesion is a focus seen in a plane, with the benign gland around it.
type lesion struct {
	patient, grade int // grade 0 where unknown
	measured       lesionValues
	synthetic      lesionValues
}

type lesionValues struct{ meanKPa, contrastKPa, ratio, cnr, gcnr float64 }

// lesions compares the foci with the gland of their plane; nil where none is large enough.
func (v *evaluation) lesions(of labelling) *Lesions {
	var all []lesion
	grades := gradesOf(v.Foci)
	for k, s := range v.Test {
		if labels := of(s); labels != nil {
			for _, l := range v.lesionsOf(s, v.Predictions[k].KPa, labels, grades) {
				l.patient = v.patientOf[k]
				all = append(all, l)
			}
		}
	}
	if len(all) == 0 {
		return nil
	}
	out := &Lesions{Count: len(all), Patients: patientsOf(all),
		SWE:              v.lesionMeans(all, func(l lesion) lesionValues { return l.measured }),
		SSWE:             v.lesionMeans(all, func(l lesion) lesionValues { return l.synthetic }),
		ContrastErrorKPa: v.meanOf(all, func(l lesion) float64 { return l.synthetic.contrastKPa - l.measured.contrastKPa })}
	for grade := 1; grade <= 5; grade++ {
		var some []lesion
		for _, l := range all {
			if l.grade == grade {
				some = append(some, l)
			}
		}
		if len(some) > 0 {
			out.ByGrade = append(out.ByGrade, v.lesionGrade(grade, some))
		}
	}
	return out
}

// lesionsOf measures each focus of a plane whose valid area is at least a disc of TileMM, against the benign gland at
// least GuardMM from any tumour.
func (v *evaluation) lesionsOf(s *data.Sample, predictionKPa []float32, labels []uint8, grades map[focus]int) []lesion {
	e, g := v.config.Evaluation, s.Grid
	guard := int(e.GuardMM/g.MMPerPx + 0.999)
	var inside [256][2][]float64
	var background [2][]float64
	for i, valid := range s.Mask {
		if !valid || labels[i] == 0 {
			continue
		}
		to := &background
		if isTumour(labels[i]) {
			to = &inside[labels[i]]
		} else if y, x := i/g.Width, i%g.Width; tumourWithin(labels, g.Height, g.Width, y-guard, x-guard, y+guard+1, x+guard+1) {
			continue
		}
		to[0], to[1] = append(to[0], float64(s.TargetKPa[i])), append(to[1], float64(predictionKPa[i]))
	}
	least := math.Pi / 4 * e.TileMM * e.TileMM / (g.MMPerPx * g.MMPerPx)
	var list []lesion
	for label := firstFocus; label < len(inside); label++ {
		in := inside[label]
		if float64(len(in[0])) >= least && len(background[0]) > 0 {
			list = append(list, lesion{grade: grades[focus{s.Patient, uint8(label)}],
				measured: v.lesionValues(in[0], background[0]), synthetic: v.lesionValues(in[1], background[1])})
		}
	}
	return list
}

func (v *evaluation) lesionValues(in, out []float64) lesionValues {
	l := lesionValues{meanKPa: stat.Mean(in, nil), cnr: metric.CNR(in, out),
		gcnr: metric.GCNR(in, out, 0, v.config.RangeKPa, int(math.Ceil(v.config.RangeKPa/gcnrBinKPa)))}
	l.contrastKPa, l.ratio = metric.Contrast(in, out)
	return l
}

func (v *evaluation) meanOf(lesions []lesion, value func(lesion) float64) Estimate {
	p := newPerPatient(len(v.patients))
	for _, l := range lesions {
		p.add(l.patient, value(l))
	}
	e, _ := p.mean(v.draws)
	return e
}

func (v *evaluation) lesionMeans(lesions []lesion, of func(lesion) lesionValues) LesionMeans {
	return LesionMeans{
		ContrastKPa: v.meanOf(lesions, func(l lesion) float64 { return of(l).contrastKPa }),
		Ratio:       v.meanOf(lesions, func(l lesion) float64 { return of(l).ratio }),
		CNR:         v.meanOf(lesions, func(l lesion) float64 { return of(l).cnr }),
		GCNR:        v.meanOf(lesions, func(l lesion) float64 { return of(l).gcnr }),
	}
}

func (v *evaluation) lesionGrade(grade int, lesions []lesion) LesionGrade {
	g := LesionGrade{Grade: grade, Count: len(lesions), Patients: patientsOf(lesions),
		SWEKPa:       v.meanOf(lesions, func(l lesion) float64 { return l.measured.meanKPa }),
		SSWEKPa:      v.meanOf(lesions, func(l lesion) float64 { return l.synthetic.meanKPa }),
		SWEContrast:  v.meanOf(lesions, func(l lesion) float64 { return l.measured.contrastKPa }),
		SSWEContrast: v.meanOf(lesions, func(l lesion) float64 { return l.synthetic.contrastKPa })}
	for _, l := range lesions {
		if l.measured.meanKPa > v.config.Evaluation.StiffKPa {
			g.SWEStiff++
		}
		if l.synthetic.meanKPa > v.config.Evaluation.StiffKPa {
			g.SSWEStiff++
		}
	}
	return g
}

func patientsOf(lesions []lesion) int {
	seen := map[int]bool{}
	for _, l := range lesions {
		seen[l.patient] = true
	}
	return len(seen)
}

// overlaps compares the areas stiffer than the clinical cut with each other and with tumour, in the gland where it is
// outlined. A pixel at the display limit counts as stiff if the limit is.
func (v *evaluation) overlaps() {
	cut := v.config.Evaluation.StiffKPa
	measured := func(k, i int) bool { return float64(v.Test[k].TargetKPa[i]) > cut }
	synthetic := func(k, i int) bool { return float64(v.Predictions[k].KPa[i]) > cut }
	tumour := func(of labelling) func(k, i int) bool {
		return func(k, i int) bool { labels := of(v.Test[k]); return isTumour(labels[i]) }
	}
	anywhere := func(*data.Sample) []uint8 { return nil }
	for _, o := range []struct {
		of, with, labels string
		a, b             func(k, i int) bool
		in               labelling
		outlined         bool // only where the labelling outlines the gland
	}{
		{"sSWE", "SWE", "", synthetic, measured, anywhere, false},
		{"SWE", "tumour", "registered", measured, tumour(registered), registered, true},
		{"sSWE", "tumour", "registered", synthetic, tumour(registered), registered, true},
		{"SWE", "tumour", "true", measured, tumour(unregistered), unregistered, true},
		{"sSWE", "tumour", "true", synthetic, tumour(unregistered), unregistered, true},
	} {
		common, areas := make([]float64, len(v.patients)), make([]float64, len(v.patients))
		for k, s := range v.Test {
			labels, p := o.in(s), v.patientOf[k]
			for i, valid := range s.Mask {
				if !valid || o.outlined && (labels == nil || labels[i] == 0) {
					continue
				}
				a, b := o.a(k, i), o.b(k, i)
				if a {
					areas[p]++
				}
				if b {
					areas[p]++
				}
				if a && b {
					common[p] += 2
				}
			}
		}
		if dice, ok := v.draws.ratio(common, areas); ok {
			v.result.Metrics.Overlaps = append(v.result.Metrics.Overlaps, Overlap{Of: o.of, With: o.with, Labels: o.labels, CutKPa: cut, Dice: dice})
		}
	}
}
