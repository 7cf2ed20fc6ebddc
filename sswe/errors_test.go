package sswe

import (
	"fmt"
	"testing"

	"elastography/data"
)

// Counting finds the very median that sorting all pixels finds.
func TestMedianStiffnessIsThatOfAllValidPixels(t *testing.T) {
	for _, valid := range []int{0, 1, 2, 3, 100, 2001} {
		for _, levels := range []int{1, 3, 1 << 20} { // equal values, few values, hardly two alike
			rng := stream(7, fmt.Sprint("median", valid, levels))
			s := &data.Sample{TargetKPa: make([]float32, 2*valid), Mask: make([]bool, 2*valid)}
			var all []float64
			for i := range s.Mask {
				s.TargetKPa[i], s.Mask[i] = float32(rng.IntN(levels))/float32(levels)*70, i%2 == 0
				if s.Mask[i] {
					all = append(all, float64(s.TargetKPa[i]))
				}
			}
			if got, want := medianKPa([]*data.Sample{s}), median(all); got != want {
				t.Errorf("%d valid pixels of %d levels: median %v, expected %v", valid, levels, got, want)
			}
		}
	}
}
