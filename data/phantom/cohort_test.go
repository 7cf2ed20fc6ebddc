package phantom

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat"
)

// within fails the test where a measured figure leaves its range.
func within(t *testing.T, what string, got, low, high float64) {
	t.Helper()
	t.Logf("%-52s %8.3f   (%g to %g)", what, got, low, high)
	if !(got >= low && got <= high) {
		t.Errorf("%s is %.3f; want %g to %g", what, got, low, high)
	}
}

func median(v []float64) float64 {
	v = slices.Clone(v)
	slices.Sort(v)
	return v[len(v)/2]
}

func TestMenAndTumoursMatchTheLiterature(t *testing.T) {
	const men = 250
	r := Prostate()
	var volume, thickness []float64
	var foci, peripheral, multifocal, hypo, lower, secondary, small float64
	var grades [5]float64
	kPa := make([][]float64, 5)
	var indexML []float64
	with := map[string]float64{}
	for k := range men {
		p := patient(t, r, 11, k)
		volume, thickness = append(volume, p.VolumeML), append(thickness, p.gland.pzThickness)
		for finding := range p.Findings() {
			with[finding]++
		}
		if len(p.Foci) > 1 {
			multifocal++
		}
		for _, f := range p.Foci {
			foci++
			if f.Zone == "PZ" {
				peripheral++
			}
			if f.Hypoechoic {
				hypo++
			}
			if !f.Soft {
				kPa[f.GradeGroup-1] = append(kPa[f.GradeGroup-1], f.EKPa)
			}
			if f.Index {
				grades[f.GradeGroup-1]++
				indexML = append(indexML, f.VolumeML)
				continue
			}
			secondary++
			if f.VolumeML < 0.5 {
				small++
			}
			if p.Foci[0].GradeGroup > 1 && f.GradeGroup < p.Foci[0].GradeGroup {
				lower++
			}
		}
	}
	within(t, "volume, median ml", median(volume), 36, 44)
	within(t, "volume, smallest ml", slices.Min(volume), 20, 26)
	within(t, "volume, largest ml", slices.Max(volume), 70, 90)
	within(t, "peripheral zone thickness, mean mm", stat.Mean(thickness, nil), 8, 11)
	within(t, "its correlation with volume", stat.Correlation(thickness, volume, nil), -0.45, -0.1)
	within(t, "foci per gland", foci/men, 3.1, 3.7)
	within(t, "multifocal share", multifocal/men, 0.76, 0.89)
	within(t, "share of foci in the peripheral zone", peripheral/foci, 0.70, 0.79)
	within(t, "hypoechoic share", hypo/foci, 0.55, 0.65)
	within(t, "index volume, median ml", median(indexML), 0.75, 1.25)
	within(t, "secondary foci below 0.5 ml", small/secondary, 0.75, 0.95)
	within(t, "men with prostatitis", with[FindingProstatitis]/men, 0.18, 0.32)
	within(t, "men with granulomatous prostatitis", with[FindingGranuloma]/men, 0.005, 0.06)
	within(t, "men with a nodule of the outer gland", with[FindingOuterNodule]/men, 0.04, 0.14)
	within(t, "men with a stiff stromal nodule", with[FindingStromalNodule]/men, 0.2, 0.6)
	within(t, "men with calcifications", with[FindingCalcification]/men, 0.40, 0.60)
	for k, want := range r.Tumours.GradeShare {
		within(t, "share of index grade group "+string(rune('1'+k)), grades[k]/men, want-0.08, want+0.08)
	}
	for k, want := range r.Tumours.GradeKPa {
		within(t, "median kPa of grade group "+string(rune('1'+k)), median(kPa[k]), 0.82*want, 1.2*want)
	}
}

func TestPlanesAreAsHardAsTheDifficultyBudget(t *testing.T) {
	const men = 50
	r := Prostate()
	byLabel := map[uint8][]float64{}
	lnKPa, echo := map[uint8][]float64{}, map[uint8][]float64{}
	var all, dice []float64
	planesWithFoci, tumourPixels := 0.0, 0.0
	for k := range men {
		p := patient(t, r, 2, k)
		for plane := range 3 {
			s := section(t, p, plane, coarse)
			if len(s.Foci) > 0 {
				planesWithFoci++
			}
			for i, label := range s.Labels {
				if !s.Gland[i] || s.Fluid[i] {
					continue
				}
				e := math.Min(float64(s.EKPa[i]), 70)
				all = append(all, e)
				byLabel[min(label, LabelFocus)] = append(byLabel[min(label, LabelFocus)], e)
				if label >= LabelFocus {
					tumourPixels++
				}
				if s.deep(i) && !s.Calcification[i] {
					lnKPa[label] = append(lnKPa[label], math.Log(float64(s.EKPa[i])))
					echo[label] = append(echo[label], float64(s.BackscatterDB[i]))
				}
			}
			dice = append(dice, diceOf(s.Labels, s.LabelsRegistered))
		}
	}
	distance := func(v []float64, m float64) float64 {
		sum := 0.0
		for _, e := range v {
			sum += math.Abs(e - m)
		}
		return sum
	}
	zone := 0.0
	for label, v := range byLabel {
		guess := median(v)
		if label == LabelFocus { // a zone map does not know the tumours
			guess = median(byLabel[LabelPZ])
		}
		zone += distance(v, guess)
	}
	n := float64(len(all))
	within(t, "constant predictor, MAE kPa (70 kPa cap)", distance(all, median(all))/n, 7, 9)
	within(t, "zone predictor, MAE kPa", zone/n, 6.3, 8.5)
	within(t, "tumour share of gland pixels", tumourPixels/n, 0.03, 0.09)
	within(t, "share of planes with a focus", planesWithFoci/(3*men), 0.5, 0.9)
	within(t, "rho(E, echo) in benign PZ", stat.Correlation(lnKPa[LabelPZ], echo[LabelPZ], nil), -0.36, -0.2)
	within(t, "rho(E, echo) in benign TZ", stat.Correlation(lnKPa[LabelTZ], echo[LabelTZ], nil), -0.35, -0.18)
	within(t, "median kPa in PZ", median(byLabel[LabelPZ]), 19, 25)
	within(t, "median kPa in TZ", median(byLabel[LabelTZ]), 24, 32)
	within(t, "registered labels, mean Dice of the gland", stat.Mean(dice, nil), 0.89, 0.95)
	within(t, "registered labels, lowest Dice of the gland", slices.Min(dice), 0.70, 0.95)
}

// Landmark studies report 2 to 3 mm between an image and its registered histopathology.
func TestRegistrationIsOffByAsMuchAsLandmarkStudiesReport(t *testing.T) {
	var errors []float64
	for k := range 40 {
		p := patient(t, Prostate(), 3, k)
		for plane := range 3 {
			l := newWorkGrid(coarse)
			shown := p.registered(plane, l)
			c := p.gland.cut(p.planeY[plane])
			i := 0
			for _, z := range l.zs {
				for _, x := range l.xs {
					if st := c.locate(x-p.gland.shift, z); st.capsule > 0 {
						px, py, pz := shown(i, x, z)
						errors = append(errors, math.Sqrt((px-x+p.gland.shift)*(px-x+p.gland.shift)+(py-c.y)*(py-c.y)+(pz-z)*(pz-z)))
					}
					i++
				}
			}
		}
	}
	within(t, "registration error within the gland, mean mm", stat.Mean(errors, nil), 2, 3)
}

// deep tells whether a pixel's neighbours to two pixels all carry its label: away from edges, where
// tissues mix.
func (s *Section) deep(i int) bool {
	w := s.Grid.Width
	for _, d := range []int{-2, 2, -2 * w, 2 * w, -w, w, -1, 1} {
		if j := i + d; j < 0 || j >= len(s.Labels) || s.Labels[j] != s.Labels[i] {
			return false
		}
	}
	return true
}

// diceOf is the Dice coefficient of the whole gland in two label maps.
func diceOf(a, b []uint8) float64 {
	na, nb, both := 0, 0, 0
	for i := range a {
		if a[i] != LabelOutside {
			na++
		}
		if b[i] != LabelOutside {
			nb++
		}
		if a[i] != LabelOutside && b[i] != LabelOutside {
			both++
		}
	}
	return 2 * float64(both) / float64(na+nb)
}
