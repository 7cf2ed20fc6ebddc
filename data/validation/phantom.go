package validation

import (
	"context"
	"math"

	"elastography/data/scanner"
)

// Device is a scanner seen from outside. scanner.Scanner is one.
type Device interface {
	BMode(ctx context.Context, m *scanner.Medium, ex scanner.Exam, plane string) (*scanner.BMode, error)
	SWE(ctx context.Context, m *scanner.Medium, ex scanner.Exam, box scanner.Box, plane string) (*scanner.Elastogram, error)
}

// pixelMM is the grid of the purpose-made phantoms.
const pixelMM = 0.175

// block is homogeneous tissue of 0 dB and 0.5 dB/cm/MHz.
func block(heightMM, widthMM float64, kPa float32) *scanner.Medium {
	h, w := int(heightMM/pixelMM), int(widthMM/pixelMM)
	m := &scanner.Medium{Height: h, Width: w, MMPerPx: pixelMM,
		EKPa: make([]float32, h*w), BackscatterDB: make([]float32, h*w), AttenDBCmMHz: make([]float32, h*w)}
	for i := range m.EKPa {
		m.EKPa[i], m.AttenDBCmMHz[i] = kPa, 0.5
	}
	return m
}

// within calls do for the pixels less than half a diameter away from a point, mm.
func within(m *scanner.Medium, zMM, xMM, diameterMM float64, do func(i int)) {
	for i := range m.EKPa {
		if math.Hypot(depthMM(m, i)-zMM, lateralMM(m, i)-xMM) <= diameterMM/2 {
			do(i)
		}
	}
}

func depthMM(m *scanner.Medium, i int) float64 { return float64(i/m.Width) * m.MMPerPx }
func lateralMM(m *scanner.Medium, i int) float64 {
	return (float64(i%m.Width) - float64(m.Width)/2) * m.MMPerPx
}

// box covers a medium but for a rim.
func box(m *scanner.Medium) scanner.Box {
	const rim = 10
	return scanner.Box{Top: rim, Left: rim, Bottom: m.Height - rim, Right: m.Width - rim}
}

// quiet is a scanner without electronic noise, near field and tracking noise, whose picture can be read back: one look,
// a straight grey map over 100 dB, and a stiffness scale that nothing here reaches.
func quiet(s scanner.Scanner) scanner.Scanner {
	s.PenetrationMM, s.NearFieldDB = 300, -60
	s.DynamicRangeDB, s.ReferenceGrey, s.GreyCurve, s.CompoundLooks = 100, 0.7, 0, 1
	if s.HasSWE {
		s.TrackingNoise, s.ScaleMaxKPa = 0, 300
	}
	return s
}

// echo is a picture read back to dB; NaN outside the sector.
type echo struct {
	m  *scanner.Medium
	dB []float64
}

// readEcho images the medium and undoes the straight grey map of a quiet scanner.
func (b bench) readEcho(ctx context.Context, s scanner.Scanner, m *scanner.Medium, ex scanner.Exam) (echo, error) {
	picture, err := b.device(s).BMode(ctx, m, ex, "validation")
	if err != nil {
		return echo{}, err
	}
	e := echo{m: m, dB: make([]float64, len(picture.Pix))}
	for i, grey := range picture.Pix {
		if e.dB[i] = (float64(grey)/255 - s.ReferenceGrey) * ex.DynamicRangeDB; !picture.Inside[i] {
			e.dB[i] = math.NaN()
		}
	}
	return e, nil
}

// powerDB is the mean echo power of the pixels that want says yes to, dB.
func (e echo) powerDB(want func(zMM, xMM float64) bool) float64 {
	var sum, n float64
	for i, dB := range e.dB {
		if !math.IsNaN(dB) && want(depthMM(e.m, i), lateralMM(e.m, i)) {
			sum, n = sum+math.Pow(10, dB/10), n+1
		}
	}
	return 10 * math.Log10(sum/n)
}

// disc tells whether a point is within a disc, mm.
func disc(zMM, xMM, diameterMM float64) func(z, x float64) bool {
	return func(z, x float64) bool { return math.Hypot(z-zMM, x-xMM) < diameterMM/2 }
}
