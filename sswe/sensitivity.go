package sswe

import (
	"context"
	"fmt"
	"math"

	"elastography/data"
)

// Sensitivity tells which parts of an image the drawn stiffness rests on. Patch after patch of the image is covered with the
// image's mean grey level, and the network draws what is left (occlusion: Zeiler and Fergus, "Visualizing and understanding
// convolutional networks", ECCV 2014). With E(p) the stiffness drawn at the pixel p of the image I,
//
//	S(p, x) = E(p; I) - E(p; I with the patch around x covered), kPa,
//
// is above 0 where what is seen at x makes p stiffer. One pass over the patches answers for every p. It tells what the network
// answers to; whether it is right to do so, it does not.
type Sensitivity struct {
	Grid    data.Grid
	PatchPx int // side of a patch, pixels; those at the right and lower border may be smaller

	across  int         // patches in a row
	changes [][]float32 // for each patch, what it adds to the drawn image [Height, Width], kPa
}

// Sensitivity covers patches of patchPx pixels a side, one at a time: ceil(Height/patchPx) x ceil(Width/patchPx) predictions. Of
// the sample, only Image is read.
func (m *Model) Sensitivity(ctx context.Context, s *data.Sample, patchPx int) (*Sensitivity, error) {
	g := m.Config.Grid
	if patchPx < 1 || patchPx > min(g.Height, g.Width) {
		return nil, fmt.Errorf("sensitivity of %s: patches of %d pixels; choose 1 to %d", s.ID(), patchPx, min(g.Height, g.Width))
	}
	whole, err := m.Predict([]*data.Sample{s})
	if err != nil {
		return nil, fmt.Errorf("sensitivity of %s: %w", s.ID(), err)
	}
	out := &Sensitivity{Grid: g, PatchPx: patchPx, across: (g.Width + patchPx - 1) / patchPx}
	patches := out.across * ((g.Height + patchPx - 1) / patchPx)
	for from := 0; from < patches; from += m.Config.Training.BatchSize {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("sensitivity of %s: %w", s.ID(), err)
		}
		var covered []*data.Sample
		for k := from; k < min(from+m.Config.Training.BatchSize, patches); k++ {
			covered = append(covered, out.cover(s, k))
		}
		drawn, err := m.Predict(covered)
		if err != nil {
			return nil, fmt.Errorf("sensitivity of %s: %w", s.ID(), err)
		}
		for _, d := range drawn {
			change := make([]float32, g.Pixels())
			for i := range change {
				change[i] = whole[0].KPa[i] - d.KPa[i]
			}
			out.changes = append(out.changes, change)
		}
	}
	return out, nil
}

// cover is the sample with its k-th patch at the mean grey level of the image.
func (o *Sensitivity) cover(s *data.Sample, k int) *data.Sample {
	mean := 0.0
	for _, grey := range s.Image {
		mean += float64(grey)
	}
	mean /= float64(len(s.Image))
	covered := *s
	covered.Image = make([]float32, len(s.Image))
	for i, grey := range s.Image {
		if o.patch(i) == k {
			grey = float32(mean)
		}
		covered.Image[i] = grey
	}
	return &covered
}

// patch is the patch that the i-th pixel lies in.
func (o *Sensitivity) patch(i int) int {
	return i/o.Grid.Width/o.PatchPx*o.across + i%o.Grid.Width/o.PatchPx
}

// At is S(p, x) of the pixel p at (row, col) for each x, [Height, Width], kPa, even over a patch.
func (o *Sensitivity) At(row, col int) []float32 {
	values := make([]float32, o.Grid.Pixels())
	for i := range values {
		values[i] = o.changes[o.patch(i)][row*o.Grid.Width+col]
	}
	return values
}

// ReachMM is the mean distance from the pixel at (row, col) of what it answers to, mm: each pixel's distance weighted by the
// magnitude of S there. It is 0 where nothing matters.
func (o *Sensitivity) ReachMM(row, col int) float64 {
	sum, total := 0.0, 0.0
	for i, v := range o.At(row, col) {
		weight := math.Abs(float64(v))
		total += weight
		sum += weight * math.Hypot(float64(i/o.Grid.Width-row), float64(i%o.Grid.Width-col)) * o.Grid.MMPerPx
	}
	if total == 0 {
		return 0
	}
	return sum / total
}
