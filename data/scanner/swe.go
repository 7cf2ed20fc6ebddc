package scanner

import (
	"context"
	"errors"
	"fmt"
	"math"

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
	e, err := s.acquire(m, ex, box)
	if err != nil {
		return nil, err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers())
	estimates := make([]speedMap, e.pushes)
	for k := range estimates {
		group.Go(func() error {
			estimate, _, err := e.push(ctx, k, plane)
			estimates[k] = estimate
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("scanner: SWE of plane %q: %w", plane, err)
	}
	return e.show(compound(estimates)), nil
}

// acquire prepares an acquisition, or says what cannot be.
func (s Scanner) acquire(m *Medium, ex Exam, box Box) (*elastography, error) {
	if !s.HasSWE {
		return nil, fmt.Errorf("scanner %q: %w", s.Name, ErrNoSWE)
	}
	if err := s.check(m, ex); err != nil {
		return nil, err
	}
	if err := box.validate(m); err != nil {
		return nil, err
	}
	return s.newElastography(m, ex, box), nil
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

	// The record is the box and its margin; topMM, leftMM is its first cell. The
	// tissue reaches spongeCells farther on every side.
	height, width  int
	topMM, leftMM  float64
	muKPa, etaPaS  []float32 // of the tissue; etaPaS is nil when elastic
	intensity      []float32 // of a push, over the tissue
	jitter         []float32 // tracking noise over the record, in units of the reference peak
	blind          []bool    // over the record: fluid, stone, too little echo
	pushes, frames int
}

func (s Scanner) newElastography(m *Medium, ex Exam, box Box) *elastography {
	e := &elastography{s: s, m: m, ex: ex, box: box}
	cells := func(px int) int { return int(math.Ceil(float64(px)*m.MMPerPx/shearStepMM)) + 1 }
	e.height, e.width = cells(box.Bottom-box.Top)+2*recordMarginCells, cells(box.Right-box.Left)+2*recordMarginCells
	height, width := e.height+2*spongeCells, e.width+2*spongeCells
	e.pushes = s.Pushes(m, box)
	top, left := m.point(box.Top, box.Left)
	e.topMM, e.leftMM = top-recordMarginCells*shearStepMM, left-recordMarginCells*shearStepMM

	n := height * width
	e.muKPa, e.intensity = make([]float32, n), make([]float32, n)
	if m.ViscosityPaS != nil {
		e.etaPaS = make([]float32, n)
	}
	e.jitter, e.blind = make([]float32, e.height*e.width), make([]bool, e.height*e.width)
	echo := s.newEchoMap(m, ex)
	for i := range height {
		for j := range width {
			p := i*width + j
			z, x := e.topMM+float64(i-spongeCells)*shearStepMM, e.leftMM+float64(j-spongeCells)*shearStepMM
			row, col := echo.pixel(z, x)
			young := float64(m.bilinear(m.EKPa, row, col)) * (1 + ex.Precompression*math.Exp(-max(z, 0)/precompressionMM))
			var eta float64
			if e.etaPaS != nil {
				eta = float64(m.bilinear(m.ViscosityPaS, row, col))
				e.etaPaS[p] = float32(eta)
			}
			y, c := min(max(int(row+0.5), 0), m.Height-1), min(max(int(col+0.5), 0), m.Width-1)
			fluid := m.Fluid != nil && m.Fluid[y*m.Width+c]
			stone := m.Calcification != nil && m.Calcification[y*m.Width+c]
			if fluid {
				young = softestKPa
			}
			e.muKPa[p] = float32(elasticShearKPa(young, eta))
			snr, push := echo.at(z, x)
			e.intensity[p] = float32(push)
			if a, b := i-spongeCells, j-spongeCells; a >= 0 && a < e.height && b >= 0 && b < e.width {
				e.jitter[a*e.width+b] = float32(s.TrackingNoise * (1 + 1/max(snr, leastEchoSNR)))
				e.blind[a*e.width+b] = fluid || stone || snr < leastEchoSNR
			}
		}
	}
	e.frames = e.framesNeeded()
	return e
}
