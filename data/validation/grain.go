package validation

import (
	"context"
	"fmt"
	"math"

	"elastography/data/scanner"
)

// simus are the lateral -6 dB widths of the reference array's point-spread function, simulated with SIMUS (PyMUST 0.1.9):
// data/scanner/testdata. For a Gaussian beam the envelope's autocorrelation is as wide.
var simus = []struct{ depthMM, lateralMM float64 }{{10, 1.075}, {15, 0.754}, {20, 0.781}, {25, 0.895}, {30, 1.030}, {40, 1.340}}

// simusGrainMM is the lateral width of the envelope's autocorrelation at 25 mm in a patch of SIMUS speckle.
const simusGrainMM = 0.86

// isReference tells whether SIMUS's figures are of this array.
func isReference(s scanner.Scanner) bool {
	r := scanner.EndFire()
	return s.RadiusMM == r.RadiusMM && s.FieldOfViewDeg == r.FieldOfViewDeg && s.Elements == r.Elements && s.FrequencyMHz == r.FrequencyMHz &&
		s.BandwidthPercent == r.BandwidthPercent && s.TransmitElements == r.TransmitElements && s.TransmitFocusMM == r.TransmitFocusMM &&
		s.ReceiveElements == r.ReceiveElements && s.ReceiveFNumber == r.ReceiveFNumber
}

// grain measures the lateral size of speckle at the depths of SIMUS's point-spread functions, close to the axis, where
// lateral is horizontal.
func (b bench) grain(ctx context.Context) (Part, error) {
	const frames, halfMM, bandMM = 24, 4.0, 1.5
	s := quiet(b.s)
	s.NominalAttenDBCmMHz = 0 // as in the SIMUS run
	s.LineSpacingDeg /= 2
	lags := int(math.Round(2.5 / pixelMM))
	covariance := make([][]float64, len(simus))
	for k := range covariance {
		covariance[k] = make([]float64, lags)
	}
	for seed := range uint64(frames) {
		m := block(44, 16, 25)
		clear(m.AttenDBCmMHz)
		e, err := b.readEcho(ctx, s, m, s.PlainExam(seed))
		if err != nil {
			return Part{}, err
		}
		for k, at := range simus {
			e.addCovariance(covariance[k], at.depthMM, bandMM, halfMM)
		}
	}
	measured, reference := Curve{}, Curve{}
	at25 := math.NaN()
	for k, at := range simus {
		width := halfWidth(covariance[k]) * 2 * pixelMM
		measured.X, measured.Y = append(measured.X, at.depthMM), append(measured.Y, width)
		reference.X, reference.Y = append(reference.X, at.depthMM), append(reference.Y, at.lateralMM)
		if at.depthMM == 25 {
			at25 = width
		}
	}
	part := Part{Curves: map[string]Curve{"grain": measured}}
	samples := fmt.Sprintf("%d frames", frames)
	if !isReference(b.s) {
		part.Rows = append(part.Rows, reported("lateral speckle size at 25 mm, from the envelope's autocorrelation", "mm", at25, "", samples))
		return part, nil
	}
	part.Curves["grain/simus"] = reference
	part.Rows = append(part.Rows, judged("lateral speckle size at 25 mm, from the envelope's autocorrelation", "mm", at25, limits{0.9 * simusGrainMM, 1.1 * simusGrainMM}, "SIMUS 0.86 mm ± 10 %", samples),
		tested("axial speckle size, SIMUS's point-spread function 0.178 mm ± 10 %", "TestSpeckleGrainMatchesTheArray"),
		tested("point-spread function against SIMUS at 6 depths, -6 dB ± 10 %, -20 dB ± 15 %", "TestPointSpreadFunctionHasTheWidthsOfSIMUS"),
		tested("same scatterers as SIMUS: complex correlation ≥ 0.98, envelope ≥ 0.97", "TestSameScatterersGiveTheSpeckleOfSIMUS"))
	return part, nil
}

// addCovariance adds the lateral autocovariance of the amplitude around a depth, by lag in pixels.
func (e echo) addCovariance(sum []float64, depth, bandMM, halfMM float64) {
	var mean, n float64
	inside := func(i int) bool {
		return math.Abs(depthMM(e.m, i)-depth) < bandMM && math.Abs(lateralMM(e.m, i)) < halfMM && !math.IsNaN(e.dB[i])
	}
	amplitude := func(i int) float64 { return math.Pow(10, e.dB[i]/20) }
	for i := range e.dB {
		if inside(i) {
			mean, n = mean+amplitude(i), n+1
		}
	}
	mean /= n
	for i := range e.dB {
		for lag := 0; inside(i) && lag < len(sum) && i%e.m.Width+lag < e.m.Width && inside(i+lag); lag++ {
			pairs := math.Round(2*halfMM/pixelMM) - float64(lag)
			sum[lag] += (amplitude(i) - mean) * (amplitude(i+lag) - mean) / pairs
		}
	}
}

// halfWidth is the lag at which a covariance has fallen to half; between lags it falls as a Gaussian does.
func halfWidth(covariance []float64) float64 {
	before := 0.0
	for k := 1; k < len(covariance); k++ {
		ratio := covariance[k] / covariance[0]
		if ratio < 0.5 {
			v := math.Log(max(ratio, 1e-6))
			u := (before + math.Ln2) / (before - v)
			return math.Sqrt(float64((k-1)*(k-1)) + u*float64(2*k-1))
		}
		before = math.Log(ratio)
	}
	return math.NaN()
}

func tested(quantity, test string) Row {
	return Row{Quantity: quantity, Verdict: Tested, Source: "data/scanner, " + test}
}
