package scanner

import (
	"context"
	"fmt"
	"math"
)

// referenceMMS is the peak particle velocity 5 mm beside a shallow push in 25 kPa tissue, mm/s: some
// 10 um within a millisecond. An assumption, and only a scale: the wave equation here is linear.
const referenceMMS = 10.0

// Wave is what follows one push: the motion that the scanner tracks and the speeds it finds in it,
// before the pushes are compounded. Maps cover the box on the medium's grid, row-major from the
// box's top left corner.
type Wave struct {
	Box           Box
	Height, Width int // of the box, pixels
	MMPerPx       float64
	LeftMM        float64 // lateral position of the box's first column

	// PushMM is the push's lateral position (0 at the middle of the image); it reaches from FromMM
	// to ToMM in depth, over the first PushMs of the record.
	PushMM, FromMM, ToMM, PushMs float64

	// TimesMs are the frames' times since the push began, ms. VelocityMMS is the axial particle
	// velocity as tracked, noise included, mm/s, [time][row][column]; NaN beyond the push's reach.
	TimesMs     []float64
	VelocityMMS []float32

	// SpeedMS is the shear-wave speed found by time of flight, m/s, and Quality its correlation,
	// [row][column]; NaN and 0 where none was found.
	SpeedMS, Quality []float32
}

// Pushes is the number of pushes that SWE makes in a box.
func (s Scanner) Pushes(m *Medium, box Box) int {
	return max(2, int(math.Round(float64(box.Right-box.Left)*m.MMPerPx/s.PushSpacingMM)))
}

// Wave shows push number push (from 0, left to right) of the acquisition that SWE makes of the same
// arguments: the same waves, noise and estimates. Errors are those of SWE, and a push that is not there.
func (s Scanner) Wave(ctx context.Context, m *Medium, ex Exam, box Box, plane string, push int) (*Wave, error) {
	e, err := s.acquire(m, ex, box)
	if err != nil {
		return nil, err
	}
	if push < 0 || push >= e.pushes {
		return nil, fmt.Errorf("scanner: push %d does not exist: the box has %d, counted from 0", push, e.pushes)
	}
	speeds, motion, err := e.push(ctx, push, plane)
	if err != nil {
		return nil, fmt.Errorf("scanner: wave of plane %q, push %d: %w", plane, push, err)
	}
	st := motion.strip
	w := &Wave{Box: box, Height: box.Bottom - box.Top, Width: box.Right - box.Left, MMPerPx: m.MMPerPx}
	w.FromMM, w.LeftMM = m.point(box.Top, box.Left)
	w.ToMM, _ = m.point(box.Bottom, 0)
	w.PushMM = e.leftMM + float64(st.left+st.column)*shearStepMM
	w.PushMs = e.force(st).durationMs()
	for t := range e.frames {
		w.TimesMs = append(w.TimesMs, float64(t+1)*frameMs)
	}
	n := w.Height * w.Width
	w.VelocityMMS = make([]float32, e.frames*n)
	w.SpeedMS, w.Quality = make([]float32, n), make([]float32, n)
	nan := float32(math.NaN())
	for p := range n {
		z, x := m.point(box.Top+p/w.Width, box.Left+p%w.Width)
		u, v := (z-e.topMM)/shearStepMM, (x-e.leftMM)/shearStepMM
		i, j := min(int(u), e.height-2), int(v)-st.left
		fu, fv := float32(u-float64(i)), float32(v-float64(j+st.left))
		reached := j >= 0 && j < st.width-1
		for t := range e.frames {
			if !reached {
				w.VelocityMMS[t*n+p] = nan
				continue
			}
			a := motion.movie[(t*e.height+i)*st.width+j:]
			b := a[st.width:]
			top, bottom := a[0]+fv*(a[1]-a[0]), b[0]+fv*(b[1]-b[0])
			w.VelocityMMS[t*n+p] = referenceMMS * (top + fu*(bottom-top))
		}
		nearest := min(int(u+0.5), e.height-1)*e.width + min(int(v+0.5), e.width-1)
		if w.Quality[p] = speeds.quality[nearest]; w.Quality[p] > 0 {
			w.SpeedMS[p] = speeds.speed[nearest]
		} else {
			w.SpeedMS[p] = nan
		}
	}
	return w, nil
}

// durationMs is how long the push lasts, all foci.
func (p pushForce) durationMs() float64 { return p.dwellMs * float64(len(p.foci)) }

// Arrivals is when the wave's peak passes each pixel of the row at that depth: lateral positions, mm,
// and times since the push began, ms, where the push reaches and the peak lies within the record.
// The slope between two of them is the wave's slowness, ms/mm.
func (w *Wave) Arrivals(depthMM float64) (lateralMM, timeMs []float64) {
	row := int(math.Round(depthMM/w.MMPerPx)) - w.Box.Top
	if row < 0 || row >= w.Height {
		return nil, nil
	}
	for col := range w.Width {
		at := func(t int) float64 { return float64(w.VelocityMMS[(t*w.Height+row)*w.Width+col]) }
		best := 0
		for t := range w.TimesMs {
			if at(t) > at(best) {
				best = t
			}
		}
		if best == 0 || best == len(w.TimesMs)-1 {
			continue // no motion, or cut off
		}
		a, b, c := at(best-1), at(best), at(best+1)
		peak := 0.5 * (a - c) / (a - 2*b + c) // of the parabola through three frames
		lateralMM = append(lateralMM, w.LeftMM+float64(col)*w.MMPerPx)
		timeMs = append(timeMs, w.TimesMs[best]+peak*frameMs)
	}
	return lateralMM, timeMs
}
