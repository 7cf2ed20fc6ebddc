package validation

import (
	"context"
	"fmt"
	"math"

	"elastography/data/scanner"
)

// read is the mean, the standard deviation and the valid share of the box's pixels that want says yes to.
func read(e *scanner.Elastogram, want func(zMM, xMM float64) bool) (mean, sd, valid float64) {
	var sum, square, n, all float64
	for row := e.Box.Top; row < e.Box.Bottom; row++ {
		for col := e.Box.Left; col < e.Box.Right; col++ {
			if !want(float64(row)*e.MMPerPx, (float64(col)-float64(e.Width)/2)*e.MMPerPx) {
				continue
			}
			all++
			if v := float64(e.EKPa[row*e.Width+col]); !math.IsNaN(v) {
				sum, square, n = sum+v, square+v*v, n+1
			}
		}
	}
	return sum / n, math.Sqrt(max(0, square/n-sum/n*sum/n)), n / all
}

func everywhere(float64, float64) bool { return true }

func (b bench) swe(ctx context.Context, s scanner.Scanner, m *scanner.Medium, seed uint64) (*scanner.Elastogram, error) {
	return b.device(s).SWE(ctx, m, s.PlainExam(seed), box(m), "validation")
}

// linearity reads homogeneous elastic blocks without noise.
func (b bench) linearity(ctx context.Context) (Part, error) {
	part := Part{Curves: map[string]Curve{}}
	shown := Curve{}
	for _, want := range []float64{10, 17, 30, 55, 100} {
		e, err := b.swe(ctx, quiet(b.s), block(26, 30, float32(want)), 1)
		if err != nil {
			return Part{}, err
		}
		mean, sd, valid := read(e, everywhere)
		shown.X, shown.Y = append(shown.X, want), append(shown.Y, mean)
		samples := fmt.Sprintf("a box of %d pixels, %.0f %% valid", (e.Box.Bottom-e.Box.Top)*(e.Box.Right-e.Box.Left), 100*valid)
		part.Rows = append(part.Rows,
			judged(fmt.Sprintf("bias of a %.0f kPa block", want), "%", 100*(mean/want-1), limits{-5, 5}, "E = 3ρc², bias ≤ 5 %; apparent stiffness is calibrated on such blocks", samples),
			judged(fmt.Sprintf("SD within a %.0f kPa block", want), "%", 100*sd/mean, atMost(3), "noiseless, SD ≤ 3 %", samples))
	}
	part.Curves["linearity"] = shown
	part.Rows = append(part.Rows, tested("plane shear wave against c = √(µ/ρ), ± 3 %", "TestPlaneShearWaveTravelsAtItsSpeed"),
		tested("elastic against scalar waves on inclusions, r ≥ 0.98", "TestElasticAndScalarWavesAgreeOnInclusions"))
	return part, nil
}

// inclusions reads 60 kPa discs in 25 kPa tissue without noise.
func (b bench) inclusions(ctx context.Context) (Part, error) {
	const inside, outside, depth = 60.0, 25.0, 17.0
	recovery := Curve{}
	part := Part{Curves: map[string]Curve{}}
	for _, c := range []struct {
		diameterMM float64
		percent    limits
	}{{5, limits{55, 75}}, {10, limits{75, 95}}, {20, atLeast(80)}} {
		m := block(35, 38.5, outside)
		within(m, depth, 0, c.diameterMM, func(i int) { m.EKPa[i] = inside })
		e, err := b.swe(ctx, quiet(b.s), m, 1)
		if err != nil {
			return Part{}, err
		}
		core, _, _ := read(e, disc(depth, 0, 0.7*c.diameterMM))
		around, _, _ := read(e, func(z, x float64) bool {
			r := math.Hypot(z-depth, x)
			return r > c.diameterMM/2+3 && r < c.diameterMM/2+6
		})
		got := 100 * (core - around) / (inside - outside)
		recovery.X, recovery.Y = append(recovery.X, c.diameterMM), append(recovery.Y, got)
		part.Rows = append(part.Rows, judged(fmt.Sprintf("contrast recovered of a %.0f mm disc of 60 in 25 kPa", c.diameterMM), "%", got, c.percent, "facts, P-SV prototype", "1 map"))
		if c.diameterMM == 20 {
			part.Rows = append(part.Rows, judged("10-90 % edge of the 20 mm disc", "mm", edgeWidthMM(e, depth, around, core), limits{2, 4}, "facts", "both sides of 9 rows"))
		}
	}
	rising := 0.0
	if recovery.Y[0] < recovery.Y[1] && recovery.Y[1] < recovery.Y[2] {
		rising = 1
	}
	part.Rows = append(part.Rows, judged("contrast recovered rises with diameter (1: yes)", "", rising, limits{1, 1}, "facts", "3 maps"))
	part.Curves["recovery"] = recovery
	return part, nil
}

// edgeWidthMM is the 10 to 90 % width of the rise from outside to inside, the mean of both sides over rows about a depth.
func edgeWidthMM(e *scanner.Elastogram, zMM, outside, inside float64) float64 {
	var sum, n float64
	for k := -4; k <= 4; k++ {
		row := int(zMM/e.MMPerPx) + k
		for _, side := range []int{-1, 1} {
			cross := func(level float64) float64 { // from the middle outwards
				target := outside + level*(inside-outside)
				for d := 0; e.Width/2+side*(d+1) >= e.Box.Left && e.Width/2+side*(d+1) < e.Box.Right; d++ {
					a, b := float64(e.EKPa[row*e.Width+e.Width/2+side*d]), float64(e.EKPa[row*e.Width+e.Width/2+side*(d+1)])
					if a >= target && b < target {
						return float64(d) + (a-target)/(a-b)
					}
				}
				return math.NaN()
			}
			if w := cross(0.1) - cross(0.9); !math.IsNaN(w) {
				sum, n = sum+w, n+1
			}
		}
	}
	return sum / n * e.MMPerPx
}

// depths scans a homogeneous block with the scanner's own noise, and B-mode with it.
func (b bench) depths(ctx context.Context) (Part, error) {
	m := block(44.8, 35, 25)
	e, err := b.swe(ctx, b.s, m, 3)
	if err != nil {
		return Part{}, err
	}
	share := func(low, high float64) float64 {
		_, _, v := read(e, func(z, _ float64) bool { return z >= low && z < high })
		return 100 * v
	}
	curve := Curve{}
	for z := 2.5; z < 42.5; z += 2.5 {
		curve.X, curve.Y = append(curve.X, z+1.25), append(curve.Y, share(z, z+2.5))
	}
	part := Part{Curves: map[string]Curve{"valid": curve}}
	part.Rows = append(part.Rows,
		judged("valid share above 20 mm, 25 kPa, with noise", "%", share(0, 20), atLeast(95), "facts", "1 map"),
		judged("valid share below 35 mm over that at 20 to 30 mm", "%", 100*share(35, 44)/share(20, 30), atMost(80), "facts: falling past 30 mm", "1 map"))
	picture, err := b.device(b.s).BMode(ctx, m, b.s.PlainExam(3), "validation")
	if err != nil {
		return Part{}, err
	}
	// Within rows, so that what both owe to depth does not count.
	var xy, xx, yy, n float64
	for row := e.Box.Top; row < e.Box.Bottom && float64(row)*e.MMPerPx < 25; row++ {
		var grey, kPa []float64
		for col := e.Box.Left; col < e.Box.Right; col++ {
			if v := float64(e.EKPa[row*e.Width+col]); !math.IsNaN(v) {
				grey, kPa = append(grey, float64(picture.Pix[row*e.Width+col])), append(kPa, v)
			}
		}
		a, c := mean(grey), mean(kPa)
		for i := range grey {
			xy, xx, yy, n = xy+(grey[i]-a)*(kPa[i]-c), xx+(grey[i]-a)*(grey[i]-a), yy+(kPa[i]-c)*(kPa[i]-c), n+1
		}
	}
	part.Rows = append(part.Rows, judged("correlation of speckle and stiffness noise, homogeneous block", "", xy/math.Sqrt(xx*yy), limits{-0.1, 0.1}, "no stream shared by echo and stiffness", fmt.Sprintf("%.0f pixels", n)),
		Row{Quantity: "no random stream shared by name", Verdict: Tested, Source: "data/phantom, TestEveryStreamIsItsOwn"},
		tested("same bytes for any number of workers", "TestSWEIsTheSameForAnyNumberOfWorkersAndSharesNoStreamWithEcho, TestBModeIsTheSameForAnyNumberOfWorkers"))
	hard := block(44.8, 35, 90)
	again, err := b.device(b.s).BMode(ctx, hard, b.s.PlainExam(3), "validation")
	if err != nil {
		return Part{}, err
	}
	differ := 0
	for i, v := range picture.Pix {
		if again.Pix[i] != v {
			differ++
		}
	}
	part.Rows = append(part.Rows, judged("B-mode pixels that change when 25 kPa becomes 90 kPa", "", float64(differ), limits{0, 0}, "B-mode never reads stiffness", fmt.Sprintf("%d pixels", len(picture.Pix))))
	return part, nil
}

func mean(values []float64) float64 {
	var sum float64
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}
