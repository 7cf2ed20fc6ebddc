package scanner

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// framesNeeded lets a wave pass the end of its push's reach in all but the box's
// softest tenth; 6 to 14 ms.
func (e *elastography) framesNeeded() int {
	inside := make([]float32, 0, e.height*e.width)
	for i := range e.height {
		inside = append(inside, e.muKPa[(i+spongeCells)*(e.width+2*spongeCells)+spongeCells:][:e.width]...)
	}
	slices.Sort(inside)
	speed := math.Sqrt(float64(inside[len(inside)/10]) * 1e3 / densityKgM3)
	ms := 2.8 + (e.reachMM()+e.s.KernelMM/2)/speed
	return int(min(max(ms, 6), 14) / frameMs)
}

// reachMM is how far from its push a wave is used: to the far end of the next
// push's near field, for which it must stand in.
func (e *elastography) reachMM() float64 { return e.spacingMM() + nearPushMM + 1 }

// spacingMM is the distance between the pushes, spread evenly over the box.
func (e *elastography) spacingMM() float64 {
	return float64(e.box.Right-e.box.Left) * e.m.MMPerPx / float64(e.pushes)
}

// kernelCells is the distance over which time of flight is measured.
func (e *elastography) kernelCells() int {
	return max(2, int(math.Round(e.s.KernelMM/shearStepMM)))
}

// strip is the part of the tissue that one push is used for, so that the work grows
// with the box's width and not with its square.
type strip struct {
	left, width int // columns of the record
	column      int // of the push, within the strip
	grid        *shearGrid
}

func (e *elastography) strip(k int) strip {
	column := recordMarginCells + int(math.Round((float64(k)+0.5)*e.spacingMM()/shearStepMM))
	around := int(e.reachMM()/shearStepMM) + e.kernelCells() + recordMarginCells
	st := strip{left: max(0, column-around)}
	st.width = min(e.width, column+around+1) - st.left
	st.column = column - st.left
	height, width := e.height+2*spongeCells, st.width+2*spongeCells
	cut := func(tissue []float32) []float32 {
		if tissue == nil {
			return nil
		}
		out := make([]float32, 0, height*width)
		for i := range height {
			out = append(out, tissue[i*(e.width+2*spongeCells)+st.left:][:width]...)
		}
		return out
	}
	st.grid = newShearGrid(height, width, cut(e.muKPa), cut(e.etaPaS))
	return st
}

// force builds the push of a strip: foci from top to bottom of the box, each for
// 150 us, whose succession travels faster than the shear wave and makes its front
// a plane.
func (e *elastography) force(st strip) pushForce {
	const dwellMs, apartMM, depthMM = 0.15, 5.0, 3.0
	g := st.grid
	deep := float64(e.box.Bottom-e.box.Top) * e.m.MMPerPx
	foci := max(2, int(math.Ceil(deep/apartMM))+1)
	push := pushForce{dwellMs: dwellMs, foci: make([][]float32, foci)}
	column := spongeCells + st.column
	for f := range push.foci {
		field := make([]float32, g.height*g.width)
		centre := spongeCells + recordMarginCells + float64(f)*deep/float64(foci-1)/shearStepMM
		for i := range g.height {
			along := (float64(i) - centre) * shearStepMM / depthMM
			intensity := e.intensity[i*(e.width+2*spongeCells)+st.left+column]
			for j := max(0, column-6); j < min(g.width, column+7); j++ {
				across := float64(j-column) * shearStepMM / e.s.PushWidthMM
				field[i*g.width+j] = float32(pushAcceleration*math.Exp(-along*along-across*across)) * intensity
			}
		}
		push.foci[f] = field
	}
	return push
}

// tracked is the motion after one push as the scanner tracks it, noise included: axial particle
// velocity over the strip of the record, [frame][row][column], in units of the reference peak.
type tracked struct {
	strip strip
	movie []float32
}

// push simulates push k of a plane and estimates the speed to both sides of it.
func (e *elastography) push(ctx context.Context, k int, plane string) (speedMap, tracked, error) {
	st := e.strip(k)
	recorded := window{spongeCells, spongeCells, spongeCells + e.height, spongeCells + st.width}
	movie, err := st.grid.propagate(ctx, e.force(st), e.frames, recorded)
	if err != nil {
		return speedMap{}, tracked{}, err
	}
	estimate, err := e.estimate(ctx, movie, st, fmt.Sprintf("%s/%d", plane, k))
	return estimate, tracked{st, movie}, err
}

// estimate tracks the recorded motion, adding the noise of that to the movie, and measures the speed of the
// wave that runs away from the push on either side.
func (e *elastography) estimate(ctx context.Context, movie []float32, st strip, name string) (speedMap, error) {
	e.addTrackingNoise(movie, st, name)
	late := e.lateArrivals(movie, st)
	right, left := directional(movie, e.frames, e.height, st.width, e.s.KernelMM/slowestMS)
	out := newSpeedMap(e.height, e.width)
	near := int(math.Round(nearPushMM / shearStepMM))
	reach := int(e.reachMM() / shearStepMM)
	kernel := e.kernelCells()
	flight := newFlight(right, float64(kernel)*shearStepMM)
	for i := range e.height {
		if err := ctx.Err(); err != nil {
			return speedMap{}, err
		}
		for j := kernel; j < st.width-kernel; j++ {
			away := j - st.column
			if distance := max(away, -away); distance < near || distance > reach {
				continue
			}
			waves, from, to := right, j-kernel/2, j-kernel/2+kernel
			if away < 0 {
				waves, from, to = left, j+kernel/2, j+kernel/2-kernel
			}
			if late[i*st.width+to] {
				continue
			}
			p := i*e.width + st.left + j
			if lag, quality := flight.measure(waves, waves.at(i, from), waves.at(i, to)); quality > 0 {
				out.speed[p] = float32(float64(kernel) * shearStepMM / lag)
				out.quality[p] = float32(quality)
			}
		}
	}
	return out, nil
}

// lateArrivals marks the cells at which the wave peaks so late that the record ends
// before it has passed: a cut wave seems faster than it is.
func (e *elastography) lateArrivals(movie []float32, st strip) []bool {
	const passMs = 1.8
	cells := e.height * st.width
	peak, frame := make([]float32, cells), make([]int, cells)
	for t := range e.frames {
		for p, v := range movie[t*cells : (t+1)*cells] {
			if v < 0 {
				v = -v
			}
			if v > peak[p] {
				peak[p], frame[p] = v, t
			}
		}
	}
	late := make([]bool, cells)
	for p, t := range frame {
		late[p] = t > e.frames-int(passMs/frameMs)
	}
	return late
}

// addTrackingNoise adds the error of the displacement estimator: correlated over
// half a millimetre, as large as the echoes are weak. Where nothing is tracked, no
// motion is reported.
func (e *elastography) addTrackingNoise(movie []float32, st strip, name string) {
	const correlationMM = 0.5
	random := stream(e.ex.Seed, "tracking-noise/"+name)
	cells := e.height * st.width
	noise, level := make([]float32, cells), make([]float32, cells)
	sigma := correlationMM / 2 / shearStepMM
	keep := smoothedDeviation(sigma)
	for i := range e.height {
		for j := range st.width {
			level[i*st.width+j] = e.jitter[i*e.width+st.left+j] / keep
		}
	}
	for t := range e.frames {
		for p := range noise {
			noise[p] = float32(random.NormFloat64())
		}
		smooth(noise, e.height, st.width, sigma)
		frame := movie[t*cells : (t+1)*cells]
		for p, v := range noise {
			frame[p] += v * level[p]
		}
		for i := range e.height {
			for j, blind := range e.blind[i*e.width+st.left:][:st.width] {
				if blind {
					frame[i*st.width+j] = 0
				}
			}
		}
	}
}
