package phantom

import (
	"math"
	"reflect"
	"testing"

	"gonum.org/v1/gonum/stat"
)

func TestTheGlandHasTheVolumeThatWasDrawn(t *testing.T) {
	for k := range 8 {
		p := patient(t, Prostate(), 4, k)
		a := &p.gland
		const step = 1.0
		count := 0
		for y := -a.halfL; y < a.halfL; y += step {
			c := a.cut(y)
			for z := 0.0; z < 60; z += step {
				for x := -40.0; x < 40; x += step {
					if st := c.locate(x, z); st.capsule > 0 {
						count++
					}
				}
			}
		}
		if got := float64(count) * step * step * step / 1000; math.Abs(got/p.VolumeML-1) > 0.06 {
			t.Errorf("%s: %.1f ml in space, %.1f ml drawn", p.ID, got, p.VolumeML)
		}
	}
}

func TestZonesLieWhereTheyShould(t *testing.T) {
	g := Grid{Height: 128, Width: 192, MMPerPx: 0.35}
	for k := range 10 {
		p := patient(t, Prostate(), 9, k)
		for plane, name := range p.Planes() {
			s := section(t, p, plane, g)
			depth, count := map[uint8]float64{}, map[uint8]float64{}
			for i, label := range s.Labels {
				z := g.DepthMM(i / g.Width)
				depth[label] += z
				count[label]++
				if s.Gland[i] != (label != LabelOutside) {
					t.Fatalf("%s %s: Gland and Labels disagree", p.ID, name)
				}
				if edge := i%g.Width == 0 || i%g.Width == g.Width-1 || i/g.Width == 0 || i/g.Width == g.Height-1; edge && s.Gland[i] {
					t.Fatalf("%s %s: the gland is cut off by the field of view", p.ID, name)
				}
				if label == LabelOutside && p.gland.probeDepth(g.LateralMM(i%g.Width)-p.gland.shift, z) < 0 && !s.Fluid[i] {
					t.Fatalf("%s %s: tissue inside the probe", p.ID, name)
				}
			}
			for label := range depth {
				depth[label] /= count[label]
			}
			if count[LabelPZ] == 0 || count[LabelUrethra] == 0 || count[LabelAFMS] == 0 {
				t.Errorf("%s %s: PZ, urethra or anterior stroma is missing: %v", p.ID, name, count)
			}
			if depth[LabelAFMS] < depth[LabelPZ] || name != "apex" && depth[LabelTZ] < depth[LabelPZ] {
				t.Errorf("%s %s: the peripheral zone must lie nearest the rectum: %v", p.ID, name, depth)
			}
			if hasCZ := count[LabelCZ] > 0; hasCZ != (name == "base") && name != "mid" {
				t.Errorf("%s %s: central zone there is %v", p.ID, name, hasCZ)
			}
			if name == "mid" && count[LabelTZ] == 0 {
				t.Errorf("%s: no transition zone at mid-gland", p.ID)
			}
			if name == "apex" && count[LabelTZ] > 0.3*count[LabelPZ] {
				t.Errorf("%s: the apex is full of transition zone", p.ID)
			}
			checkReflectors(t, s)
		}
	}
}

// checkReflectors wants unit normals where there is a boundary, and nothing elsewhere.
func checkReflectors(t *testing.T, s *Section) {
	t.Helper()
	bands := 0
	for i, db := range s.ReflectorDB {
		n := math.Hypot(float64(s.ReflectorNormalZ[i]), float64(s.ReflectorNormalX[i]))
		switch {
		case db == NoReflectorDB && n != 0:
			t.Fatalf("a normal of length %g without a boundary", n)
		case db != NoReflectorDB:
			bands++
			if math.Abs(n-1) > 1e-3 || db < 5 || db > 12 {
				t.Fatalf("a boundary of %g dB with a normal of length %g", db, n)
			}
		}
	}
	if share := float64(bands) / float64(len(s.ReflectorDB)); share < 0.005 || share > 0.15 {
		t.Errorf("boundaries cover %.1f %% of the plane", 100*share)
	}
}

func TestFociInAPlaneAreThoseItsLabelsShow(t *testing.T) {
	for k := range 12 {
		p := patient(t, Prostate(), 1, k)
		for plane := range 3 {
			s := section(t, p, plane, coarse)
			shown := map[uint8]bool{}
			for _, label := range s.Labels {
				if label >= LabelFocus {
					shown[label] = true
				}
			}
			if len(shown) != len(s.Foci) {
				t.Errorf("%s %s: %d foci in the labels, %d listed", p.ID, s.Plane, len(shown), len(s.Foci))
			}
			for _, f := range s.Foci {
				if !shown[f.ID] || f.InPlaneDiameterMM <= 0 || f.InPlaneDiameterMM > f.DiameterMM+3 {
					t.Errorf("%s %s: focus %d measures %.1f mm of %.1f mm", p.ID, s.Plane, f.ID, f.InPlaneDiameterMM, f.DiameterMM)
				}
			}
		}
	}
}

func TestPerfectRegistrationGivesTheTrueLabels(t *testing.T) {
	r := Prostate()
	r.Registration = RegistrationRecipe{
		ShrinkagePercent: Normal{4.5, 0, 4.5, 4.5}, CorrectedPercent: 4.5, WarpMM: Normal{}, WarpScaleMM: 24,
	}
	p := patient(t, r, 1, 2)
	for plane := range 3 {
		s := section(t, p, plane, coarse)
		differ := 0
		for i := range s.Labels {
			if s.Labels[i] != s.LabelsRegistered[i] {
				differ++
			}
		}
		if differ > len(s.Labels)/500 {
			t.Errorf("%s: %d pixels differ", s.Plane, differ)
		}
	}
}

func TestAFocusIsAsStiffAsItsReport(t *testing.T) {
	checked := 0
	for k := range 25 {
		p := patient(t, Prostate(), 8, k)
		for plane := range 3 {
			s := section(t, p, plane, coarse)
			for _, f := range s.Foci {
				var kPa []float64
				for i, label := range s.Labels {
					if label == f.ID && s.deep(i) && !s.Calcification[i] && !s.Fluid[i] {
						kPa = append(kPa, float64(s.EKPa[i]))
					}
				}
				if len(kPa) < 40 || f.Infiltrative {
					continue
				}
				checked++
				if got := median(kPa); math.Abs(got/f.EKPa-1) > 0.12 {
					t.Errorf("%s %s: focus %d reads %.1f kPa, reported %.1f", p.ID, s.Plane, f.ID, got, f.EKPa)
				}
			}
		}
	}
	if checked < 10 {
		t.Errorf("only %d foci were large enough to check", checked)
	}
}

// Ultrasound measured the largest diameter of tumours 4.8 mm smaller than their sections (Shinohara 1989). Here the reader
// ends a tumour where half of its contrast is left, in the plane nearest to its middle.
func TestTumoursLookSmallerThanTheyAre(t *testing.T) {
	var lost []float64
	for k := range 90 {
		p := patient(t, Prostate(), 7, k)
		if !p.Foci[0].Hypoechoic {
			continue
		}
		l := &p.lesions[0]
		middle, nearest := l.shape.(*blob).y, 0
		for plane, y := range p.planeY {
			if math.Abs(y-middle) < math.Abs(p.planeY[nearest]-middle) {
				nearest = plane
			}
		}
		with := section(t, p, nearest, coarse)
		contrast := l.contrastDB
		l.contrastDB = 0
		without := section(t, p, nearest, coarse)
		var seen extent
		for i := range with.BackscatterDB {
			if float64(with.BackscatterDB[i]-without.BackscatterDB[i]) < contrast/2 {
				seen.add(coarse.LateralMM(i%coarse.Width), coarse.DepthMM(i/coarse.Width))
			}
		}
		for _, f := range with.Foci {
			if f.Index && f.InPlaneDiameterMM > 5 && seen.used {
				lost = append(lost, f.InPlaneDiameterMM-seen.feret(coarse.MMPerPx))
			}
		}
	}
	t.Logf("%d index foci", len(lost))
	within(t, "how much smaller tumours look, mean mm", stat.Mean(lost, nil), 4.3, 5.3)
}

// Just beyond a focus, a thin plane shows nothing of it, and the beam, which is not thin, does.
func TestAFocusBesideThePlaneShowsByPartialVolume(t *testing.T) {
	thick := Prostate()
	thick.Tumours.HypoechoicShare, thick.Tumours.HypoPerMM, thick.Tumours.HypoPerGrade, thick.Tumours.HyperechoicShare = 0.99, 0, 0, 0
	thin := thick
	thin.Beam.Slices = 1
	// darkest is the largest effect of focus 0 on the backscatter, dB, in a plane at elevation y.
	darkest := func(r Recipe, y float64) (effect float64, inHistology bool) {
		p := patient(t, r, 1, 2)
		p.planeY[0] = y
		with := section(t, p, 0, coarse)
		p.lesions[0].shape = nowhere{}
		without := section(t, p, 0, coarse)
		for i := range with.BackscatterDB {
			effect = math.Min(effect, float64(with.BackscatterDB[i]-without.BackscatterDB[i]))
		}
		return effect, !reflect.DeepEqual(with.Labels, without.Labels)
	}
	y := patient(t, thick, 1, 2).lesions[0].shape.(*blob).y
	for {
		effect, labelled := darkest(thin, y)
		if effect > -0.02 {
			if labelled {
				t.Fatal("a hypoechoic focus of the histology does not show at all")
			}
			break
		}
		y += 0.3
	}
	if effect, labelled := darkest(thick, y); labelled || effect > -0.1 || effect < -4 {
		t.Errorf("beside the focus the beam sees %.2f dB of it (in the histology: %v)", effect, labelled)
	}
}

// nowhere is a shape without any tissue.
type nowhere struct{}

func (nowhere) near(float64) bool                       { return false }
func (nowhere) q(*cut, *site, float64, float64) float64 { return 3 }

func TestHistologySaysItIsSynthetic(t *testing.T) {
	p := patient(t, Prostate(), 1, 2)
	s := section(t, p, 1, ReferenceGrid())
	img := s.Histology()
	if b := img.Bounds(); b.Dx() != s.Grid.Width || b.Dy() != s.Grid.Height {
		t.Fatalf("the picture measures %v", b)
	}
	marked := 0
	for y := s.Grid.Height - 60; y < s.Grid.Height; y++ {
		for x := range s.Grid.Width {
			if r, _, _, _ := img.At(x, y).RGBA(); !s.Gland[y*s.Grid.Width+x] && r < 0xb000 {
				marked++
			}
		}
	}
	if marked < 1500 {
		t.Errorf("%d pixels of a watermark; it can be overlooked", marked)
	}
}
