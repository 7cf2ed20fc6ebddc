package phantom

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/stat"
)

var neckGrid = Grid{Height: 64, Width: 72, MMPerPx: 0.6}

func TestThyroidsMatchTheLiterature(t *testing.T) {
	const patients = 300
	r := Thyroid()
	var benign, carcinoma, hypoBenign, hypoCarcinoma []float64
	malignantIndex, hashimoto := 0.0, 0.0
	for k := range patients {
		p := patient(t, r, 3, k)
		if p.hashimoto {
			hashimoto++
		}
		for _, l := range p.benign {
			benign = append(benign, math.Exp(l.lnKPa))
			hypoBenign = append(hypoBenign, share(l.contrastDB < -2))
		}
		for _, f := range p.Foci {
			carcinoma = append(carcinoma, f.EKPa)
			hypoCarcinoma = append(hypoCarcinoma, share(f.ContrastDB < -2))
			if f.Index {
				malignantIndex++
			}
			if f.GradeGroup != 0 || f.Gleason != NotGraded || f.Kind == "" {
				t.Fatalf("%s: a thyroid focus is reported as %+v", p.ID, f)
			}
		}
	}
	within(t, "malignant index nodules", malignantIndex/patients, 0.26, 0.40)
	within(t, "patients with Hashimoto's thyroiditis", hashimoto/patients, 0.07, 0.18)
	within(t, "benign nodules, median kPa", median(benign), 15.9, 37.6)
	within(t, "carcinomas, median kPa", median(carcinoma), 31.9, 105.4)
	within(t, "hypoechoic carcinomas", stat.Mean(hypoCarcinoma, nil), 0.75, 0.95)
	within(t, "hypoechoic benign nodules", stat.Mean(hypoBenign, nil), 0.40, 0.60)
}

func share(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

func TestANeckIsLaidOutAsOneIs(t *testing.T) {
	r := Thyroid()
	nodules, foci := 0, 0
	for k := range 20 {
		p := patient(t, r, 3, k)
		n := p.body.(*neck)
		for plane := range p.Planes() {
			s := section(t, p, plane, neckGrid)
			at := func(X, z float64) int {
				return int(z/neckGrid.MMPerPx+0.5)*neckGrid.Width + int((n.probe-X)*n.medial/neckGrid.MMPerPx+float64(neckGrid.Width)/2+0.5)
			}
			if i := at(3, n.tracheaZ); !s.Fluid[i] || s.Labels[i] != LabelOutside {
				t.Errorf("%s %s: the trachea holds label %d and carries shear waves", p.ID, s.Plane, s.Labels[i])
			}
			if i := at(n.lobeX+0.1*n.halfW, n.lobeZ); s.Labels[i] == LabelOutside || s.Labels[i] == LabelIsthmus {
				t.Errorf("%s %s: the middle of the lobe has label %d", p.ID, s.Plane, s.Labels[i])
			}
			if i := at(n.lobeX, n.fat/2); s.Labels[i] != LabelOutside || s.Fluid[i] {
				t.Errorf("%s %s: the skin is part of the gland", p.ID, s.Plane)
			}
			for i, label := range s.Labels {
				if s.Gland[i] != (label != LabelOutside) {
					t.Fatal("the organ's mask is not that of its labels")
				}
			}
			for _, label := range s.Labels {
				if label == LabelNodule {
					nodules++
					break
				}
			}
			foci += len(s.Foci)
		}
	}
	if nodules < 20 || foci < 8 {
		t.Errorf("only %d planes with a benign nodule and %d with a carcinoma among 60", nodules, foci)
	}
}

func TestStiffnessOfAThyroidLeavesNoTraceInWhatBModeSees(t *testing.T) {
	r, swapped := Thyroid(), Thyroid()
	swapped.StiffnessSeed = 99
	for k := range 4 {
		a, b := section(t, patient(t, r, 5, k), 1, neckGrid), section(t, patient(t, swapped, 5, k), 1, neckGrid)
		stiffer := 0
		for i := range a.EKPa {
			if a.BackscatterDB[i] != b.BackscatterDB[i] || a.AttenDBCmMHz[i] != b.AttenDBCmMHz[i] || a.ClusterShape[i] != b.ClusterShape[i] ||
				a.ReflectorDB[i] != b.ReflectorDB[i] || a.Labels[i] != b.Labels[i] {
				t.Fatalf("patient %d: pixel %d of what B-mode sees follows the stiffness", k, i)
			}
			if a.EKPa[i] != b.EKPa[i] {
				stiffer++
			}
		}
		if stiffer == 0 {
			t.Error("the stiffness seed changed nothing")
		}
	}
}

func TestImpossibleNecksAreRefusedByName(t *testing.T) {
	for name, spoil := range map[string]func(*Recipe){
		"Neck.Thyroid.EKPa is -1":     func(r *Recipe) { r.Neck.Thyroid.EKPa = -1 },
		"Neck.NoduleMM.Max is 900":    func(r *Recipe) { r.Neck.NoduleMM.Max = 900 },
		"Neck.MalignantShare is NaN":  func(r *Recipe) { r.Neck.MalignantShare = math.NaN() },
		"Neck.TracheaMM":              func(r *Recipe) { r.Neck.TracheaMM = Normal{} },
		"Neck.ExtraNodules is 1e+09":  func(r *Recipe) { r.Neck.ExtraNodules = 1e9 },
		"Stone.EKPa is 0":             func(r *Recipe) { r.Stone.EKPa = 0 },
		"Neck.PapillaryKPa.Median is": func(r *Recipe) { r.Neck.PapillaryKPa.Median = -58 },
	} {
		r := Thyroid()
		spoil(&r)
		refused(t, r, name)
	}
}
