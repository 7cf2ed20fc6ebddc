package scanner

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
)

func reading(t *testing.T, s Scanner, E, eta float32) (med, sd, valid float64) {
	m := homog(E)
	if eta > 0 {
		m.ViscosityPaS = make([]float32, len(m.EKPa))
		for i := range m.ViscosityPaS {
			m.ViscosityPaS[i] = eta
		}
	}
	s.TrackingNoise = 0
	s.ScaleMaxKPa = 300
	box := Box{20, 20, 180, 210}
	el, err := s.SWE(context.Background(), m, s.PlainExam(1), box, "p")
	if err != nil {
		t.Fatal(err)
	}
	var v []float64
	var mean float64
	for r := box.Top; r < box.Bottom; r++ {
		for c := box.Left; c < box.Right; c++ {
			if x := float64(el.EKPa[r*m.Width+c]); x == x {
				v = append(v, x)
				mean += x
				sd += x * x
			}
		}
	}
	slices.Sort(v)
	mean /= float64(len(v))
	return v[len(v)/2], math.Sqrt(sd/float64(len(v)) - mean*mean), float64(len(v)) / 160 / 190
}
func TestProbeVisc(t *testing.T) {
	for _, s := range []Scanner{EndFire(), EndFireB()} {
		for _, eta := range []float32{0, 0.5, 1, 2} {
			if eta > 0 && s.Name != "endfire-a" {
				continue
			}
			fmt.Printf("%s eta %.2f:", s.Name, eta)
			for _, E := range []float32{5, 10, 20, 40, 80, 160} {
				m, sd, v := reading(t, s, E, eta)
				fmt.Printf("  %.0f->%.2f (sd %.1f, v %.2f)", E, m, sd, v)
			}
			fmt.Println()
		}
	}
}
