package phantom

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"sync"
	"testing"
)

// digest hashes all of a section, to the bit.
func digest(s *Section) string {
	h := sha256.New()
	for _, a := range []any{
		s.EKPa, s.BackscatterDB, s.AttenDBCmMHz, s.ClusterShape, s.ReflectorDB, s.ReflectorNormalZ, s.ReflectorNormalX,
		s.Fluid, s.Calcification, s.Gland, s.Labels, s.LabelsRegistered,
	} {
		if err := binary.Write(h, binary.LittleEndian, a); err != nil {
			panic(err)
		}
	}
	fmt.Fprintf(h, "%+v", s.Foci)
	return string(h.Sum(nil))
}

func TestAPatientIsTheSameInEveryCohort(t *testing.T) {
	r := Prostate()
	alone := digest(section(t, patient(t, r, 5, 7), 1, coarse))
	// Patient 7 among others, worked out by several goroutines that share it.
	var p *Patient
	for k := range 9 {
		if q := patient(t, r, 5, k); k == 7 {
			p = q
		}
	}
	got := make([]string, 4)
	var wg sync.WaitGroup
	for k := range got {
		wg.Go(func() { got[k] = digest(section(t, p, 1, coarse)) })
	}
	wg.Wait()
	for k, d := range got {
		if d != alone {
			t.Errorf("goroutine %d: patient 7 is another one in company", k)
		}
	}
	if digest(section(t, patient(t, r, 6, 7), 1, coarse)) == alone {
		t.Error("two seeds give the same patient")
	}
	if digest(section(t, patient(t, r, 5, 8), 1, coarse)) == alone {
		t.Error("two indices give the same patient")
	}
}

func TestStiffnessLeavesNoTraceInWhatBModeSees(t *testing.T) {
	r, swapped := Prostate(), Prostate()
	swapped.StiffnessSeed = 99
	for k := range 6 {
		p, q := patient(t, r, 3, k), patient(t, swapped, 3, k)
		if p.VolumeML != q.VolumeML || len(p.Foci) != len(q.Foci) {
			t.Fatal("stiffness moved the anatomy")
		}
		for i := range p.Foci {
			f, g := p.Foci[i], q.Foci[i]
			g.EKPa, g.Soft = f.EKPa, f.Soft
			if f != g {
				t.Errorf("stiffness changed more of a focus than its stiffness: %+v, %+v", f, g)
			}
		}
		for plane := range 3 {
			a, b := section(t, p, plane, coarse), section(t, q, plane, coarse)
			if reflect.DeepEqual(a.EKPa, b.EKPa) {
				t.Error("the stiffness seed changes no stiffness")
			}
			for name, same := range map[string]bool{
				"BackscatterDB": reflect.DeepEqual(a.BackscatterDB, b.BackscatterDB), "AttenDBCmMHz": reflect.DeepEqual(a.AttenDBCmMHz, b.AttenDBCmMHz),
				"ClusterShape": reflect.DeepEqual(a.ClusterShape, b.ClusterShape), "ReflectorDB": reflect.DeepEqual(a.ReflectorDB, b.ReflectorDB),
				"ReflectorNormalZ": reflect.DeepEqual(a.ReflectorNormalZ, b.ReflectorNormalZ), "ReflectorNormalX": reflect.DeepEqual(a.ReflectorNormalX, b.ReflectorNormalX),
				"Fluid": reflect.DeepEqual(a.Fluid, b.Fluid), "Calcification": reflect.DeepEqual(a.Calcification, b.Calcification),
				"Labels": reflect.DeepEqual(a.Labels, b.Labels), "LabelsRegistered": reflect.DeepEqual(a.LabelsRegistered, b.LabelsRegistered),
			} {
				if !same {
					t.Errorf("%s plane %d: %s depends on the stiffness stream", p.ID, plane, name)
				}
			}
		}
	}
}

func TestFieldHasUnitVarianceEverywhere(t *testing.T) {
	f := streams{seed: 1}.field("test", octave{2, 0.8}, octave{7, 0.6})
	axis := make([]float64, 300)
	for i := range axis {
		axis[i] = 1.37 * float64(i)
	}
	v := make([]float32, len(axis)*len(axis))
	f.slice(v, 0.7, axis, axis)
	sum, square := 0.0, 0.0
	for _, x := range v {
		sum += float64(x)
		square += float64(x) * float64(x)
	}
	n := float64(len(v))
	if mean, sd := sum/n, math.Sqrt(square/n); math.Abs(mean) > 0.05 || math.Abs(sd-1) > 0.04 {
		t.Errorf("mean %.3f, SD %.3f; want 0 and 1", mean, sd)
	}
	// A field is a function of space: another window and sampling sees the same values.
	part := make([]float32, 4)
	f.slice(part, 0.7, axis[100:102], []float64{axis[40], axis[44]})
	for k, want := range []float32{v[100*300+40], v[100*300+44], v[101*300+40], v[101*300+44]} {
		if math.Abs(float64(part[k]-want)) > 1e-5 {
			t.Errorf("sample %d: %g in a small window, %g in a large one", k, part[k], want)
		}
	}
}

func TestEveryStreamIsItsOwn(t *testing.T) {
	seen := map[[sha256.Size]byte]string{}
	for _, seed := range []uint64{1, 2} {
		for index := range 3 {
			s := patient(t, Prostate(), seed, index).streams
			for _, name := range []string{"anatomy", "latents/stroma", "stiffness", "stiffness/tissue", "echo/tissue", "tumours", "registration/mid"} {
				who := fmt.Sprintf("%s of patient %d, seed %d", name, index, seed)
				if other, ok := seen[s.key(name)]; ok {
					t.Errorf("%s is also %s", who, other)
				}
				seen[s.key(name)] = who
			}
		}
	}
}
