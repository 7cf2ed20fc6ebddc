package scanner

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"golang.org/x/sync/errgroup"
)

// Box is the elastography box in pixels of the grid, half-open.
type Box struct{ Top, Left, Bottom, Right int }

// Elastogram is a stiffness map on the medium's grid.
type Elastogram struct {
	Height, Width int
	MMPerPx       float64
	// EKPa is the apparent Young's modulus in kPa, clipped at ScaleMaxKPa; NaN
	// outside the box and wherever the scanner shows nothing.
	EKPa []float32
	// Saturated marks pixels whose modulus exceeds ScaleMaxKPa: they are censored.
	Saturated []bool
	// Confidence is the quality of the estimate, 0 (none) to 1.
	Confidence  []float32
	ScaleMaxKPa float64
	Box         Box
}

// ErrNoSWE tells that a scanner has no elastography.
var ErrNoSWE = errors.New("scanner has no shear-wave elastography")

const (
	// nearPushMM is the distance from a push within which the wave is not yet one.
	nearPushMM = 3.5
	// recordMarginCells are recorded around the box, so that filters and kernels
	// do not meet its edge.
	recordMarginCells = 10
	// leastQuality is the correlation below which a pixel stays empty (facts).
	leastQuality = 0.7
	// precompressionMM is the depth over which the operator's pressure fades to 1/e.
	precompressionMM = 2.5
	// fastestShownMS: faster estimates are taken for noise.
	fastestShownMS = 10.0
)

// SWE measures stiffness inside the box: pushes, elastic wave propagation, tracking
// noise that depends on the echoes' signal-to-noise ratio, directional filter, time
// of flight, quality-weighted compounding of the pushes, E = 3 rho c^2, display. The
// box's margins are the tissue around it.
//
// Errors name what cannot be: a scanner without SWE (ErrNoSWE), a box outside the
// image, a parameter out of range.
func (s Scanner) SWE(ctx context.Context, m *Medium, ex Exam, box Box, plane string) (*Elastogram, error) {
	if !s.HasSWE {
		return nil, fmt.Errorf("scanner %q: %w", s.Name, ErrNoSWE)
	}
	if err := s.check(m, ex); err != nil {
		return nil, err
	}
	if err := box.validate(m); err != nil {
		return nil, err
	}
	e := s.newElastography(m, ex, box)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers())
	estimates := make([]speedMap, s.Pushes)
	for k := range estimates {
		group.Go(func() error {
			var err error
			estimates[k], err = e.push(ctx, k, fmt.Sprintf("%s/%d", plane, k))
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("scanner: SWE of plane %q: %w", plane, err)
	}
	return e.show(compound(estimates)), nil
}

func (b Box) validate(m *Medium) error {
	if b.Top < 0 || b.Left < 0 || b.Bottom > m.Height || b.Right > m.Width {
		return fmt.Errorf("scanner: SWE box %+v reaches outside the image of %d x %d pixels", b, m.Height, m.Width)
	}
	if least := 10.0; float64(b.Bottom-b.Top)*m.MMPerPx < least || float64(b.Right-b.Left)*m.MMPerPx < least {
		return fmt.Errorf("scanner: SWE box %+v is smaller than %g mm on a side", b, least)
	}
	return nil
}

// elastography is one acquisition: the tissue around the box on the shear grid.
type elastography struct {
	s   Scanner
	m   *Medium
	ex  Exam
	box Box

	grid          *shearGrid
	record        window  // in cells of grid
	height, width int     // of the recorded window
	topMM, leftMM float64 // position of the record's first cell

	frames    int
	intensity []float32 // of the push, over the whole grid
	jitter    []float32 // tracking noise over the record, in units of the reference peak
	blind     []bool    // over the record: fluid, stone, too little echo
}

func (s Scanner) newElastography(m *Medium, ex Exam, box Box) *elastography {
	e := &elastography{s: s, m: m, ex: ex, box: box}
	const outer = spongeCells + recordMarginCells
	cells := func(px int) int { return int(math.Ceil(float64(px)*m.MMPerPx/shearStepMM)) + 1 }
	height, width := cells(box.Bottom-box.Top)+2*outer, cells(box.Right-box.Left)+2*outer
	e.record = window{spongeCells, spongeCells, height - spongeCells, width - spongeCells}
	e.height, e.width = height-2*spongeCells, width-2*spongeCells
	top, left := m.point(box.Top, box.Left)
	e.topMM, e.leftMM = top-recordMarginCells*shearStepMM, left-recordMarginCells*shearStepMM

	n := height * width
	mu, viscosity := make([]float32, n), []float32(nil)
	if m.ViscosityPaS != nil {
		viscosity = make([]float32, n)
	}
	e.intensity = make([]float32, n)
	e.jitter, e.blind = make([]float32, e.height*e.width), make([]bool, e.height*e.width)
	echo := s.newEchoMap(m, ex)
	for i := range height {
		for j := range width {
			p := i*width + j
			z, x := e.topMM+float64(i-spongeCells)*shearStepMM, e.leftMM+float64(j-spongeCells)*shearStepMM
			row, col := echo.pixel(z, x)
			young := float64(m.bilinear(m.EKPa, row, col)) * (1 + ex.Precompression*math.Exp(-max(z, 0)/precompressionMM))
			var eta float64
			if viscosity != nil {
				eta = float64(m.bilinear(m.ViscosityPaS, row, col))
				viscosity[p] = float32(eta)
			}
			y, c := min(max(int(row+0.5), 0), m.Height-1), min(max(int(col+0.5), 0), m.Width-1)
			fluid := m.Fluid != nil && m.Fluid[y*m.Width+c]
			stone := m.Calcification != nil && m.Calcification[y*m.Width+c]
			if fluid {
				young = softestKPa
			}
			mu[p] = float32(elasticShearKPa(young, eta))
			snr, push := echo.at(z, x)
			e.intensity[p] = float32(push)
			if a, b := i-spongeCells, j-spongeCells; a >= 0 && a < e.height && b >= 0 && b < e.width {
				e.jitter[a*e.width+b] = float32(s.TrackingNoise * (1 + 1/max(snr, leastEchoSNR)))
				e.blind[a*e.width+b] = fluid || stone || snr < leastEchoSNR
			}
		}
	}
	e.grid = newShearGrid(height, width, mu, viscosity)
	e.frames = e.framesNeeded(mu)
	return e
}

// framesNeeded lets a wave pass the end of its push's reach in all but the box's
// softest tenth; 6 to 14 ms.
func (e *elastography) framesNeeded(mu []float32) int {
	inside := make([]float32, 0, e.height*e.width)
	for i := e.record.top; i < e.record.bottom; i++ {
		inside = append(inside, mu[i*e.grid.width+e.record.left:i*e.grid.width+e.record.right]...)
	}
	slices.Sort(inside)
	speed := math.Sqrt(float64(inside[len(inside)/10]) * 1e3 / densityKgM3)
	ms := 2.8 + (e.reachMM()+e.s.KernelMM/2)/speed
	return int(min(max(ms, 6), 14) / frameMs)
}

// reachMM is how far from its push a wave is used: to the far end of the next
// push's near field, for which it must stand in.
func (e *elastography) reachMM() float64 { return e.pushSpacingMM() + nearPushMM + 1 }

func (e *elastography) pushSpacingMM() float64 {
	return float64(e.box.Right-e.box.Left) * e.m.MMPerPx / float64(e.s.Pushes)
}

// pushColumn is the cell of the grid in which push k runs down.
func (e *elastography) pushColumn(k int) int {
	x := (float64(k) + 0.5) * e.pushSpacingMM()
	return spongeCells + recordMarginCells + int(math.Round(x/shearStepMM))
}

// force builds push k: foci from top to bottom of the box, each for 150 us, whose
// succession travels faster than the shear wave and makes its front a plane.
func (e *elastography) force(k int) pushForce {
	const dwellMs, apartMM, depthMM = 0.15, 5.0, 3.0
	g := e.grid
	deep := float64(e.box.Bottom-e.box.Top) * e.m.MMPerPx
	foci := max(2, int(math.Ceil(deep/apartMM))+1)
	push := pushForce{dwellMs: dwellMs, foci: make([][]float32, foci)}
	column := e.pushColumn(k)
	first := float64(spongeCells + recordMarginCells)
	for f := range push.foci {
		field := make([]float32, g.height*g.width)
		centre := first + float64(f)*deep/float64(foci-1)/shearStepMM
		for i := range g.height {
			along := (float64(i) - centre) * shearStepMM / depthMM
			for j := max(0, column-6); j < min(g.width, column+7); j++ {
				across := float64(j-column) * shearStepMM / e.s.PushWidthMM
				field[i*g.width+j] = float32(pushAcceleration*math.Exp(-along*along-across*across)) * e.intensity[i*g.width+column]
			}
		}
		push.foci[f] = field
	}
	return push
}

// push simulates push k and estimates the speed to both sides of it.
func (e *elastography) push(ctx context.Context, k int, name string) (speedMap, error) {
	movie, err := e.grid.propagate(ctx, e.force(k), e.frames, e.record)
	if err != nil {
		return speedMap{}, err
	}
	e.addTrackingNoise(movie, name)
	late := e.lateArrivals(movie)
	right, left := directional(movie, e.frames, e.height, e.width, e.s.KernelMM/slowestMS)
	out := newSpeedMap(e.height, e.width)
	column := e.pushColumn(k) - spongeCells
	near := int(math.Round(nearPushMM / shearStepMM))
	reach := int(e.reachMM() / shearStepMM)
	kernel := max(2, int(math.Round(e.s.KernelMM/shearStepMM)))
	flight := newFlight(right, float64(kernel)*shearStepMM)
	for i := range e.height {
		if err := ctx.Err(); err != nil {
			return speedMap{}, err
		}
		for j := kernel; j < e.width-kernel; j++ {
			away := j - column
			if distance := max(away, -away); distance < near || distance > reach {
				continue
			}
			waves, from, to := right, j-kernel/2, j-kernel/2+kernel
			if away < 0 {
				waves, from, to = left, j+kernel/2, j+kernel/2-kernel
			}
			if !late[i*e.width+to] {
				out.set(i, j, flight, waves, from, to)
			}
		}
	}
	return out, nil
}

// lateArrivals marks the cells at which the wave peaks so late that the record ends
// before it has passed: a cut wave seems faster than it is.
func (e *elastography) lateArrivals(movie []float32) []bool {
	const passMs = 1.8
	cells := e.height * e.width
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
// half a millimetre, as large as the echoes are weak.
func (e *elastography) addTrackingNoise(movie []float32, name string) {
	random := stream(e.ex.Seed, "tracking-noise/"+name)
	cells := e.height * e.width
	noise := make([]float32, cells)
	const correlationMM = 0.5
	sigma := correlationMM / 2 / shearStepMM
	// Blurring white noise with sigma leaves 1/(2 sigma sqrt(pi)) of its deviation.
	gain := smoothedDeviation(sigma)
	for t := range e.frames {
		for p := range noise {
			noise[p] = float32(random.NormFloat64())
		}
		smooth(noise, e.height, e.width, sigma)
		frame := movie[t*cells : (t+1)*cells]
		for p, v := range noise {
			frame[p] += v / gain * e.jitter[p]
			if e.blind[p] {
				frame[p] = 0 // where nothing is tracked, no motion is reported
			}
		}
	}
}
