package scanner

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"
)

// wholeBox covers a medium but for a rim of 10 pixels.
func wholeBox(m *Medium) Box {
	return Box{Top: 10, Left: 10, Bottom: m.Height - 10, Right: m.Width - 10}
}

func mustSWE(t *testing.T, s Scanner, m *Medium, ex Exam, box Box) *Elastogram {
	t.Helper()
	e, err := s.SWE(t.Context(), m, ex, box, "test")
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// readWithin is the mean, the standard deviation and the share of valid pixels of
// those that want says yes to, by depth and lateral position in mm.
func (e *Elastogram) readWithin(want func(zMM, xMM float64) bool) (mean, sd, valid float64) {
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

func TestHomogeneousTissueReadsItsApparentStiffness(t *testing.T) {
	for _, s := range []Scanner{EndFire(), EndFireB(), Linear()} {
		for _, want := range []float32{10, 25, 50, 100} {
			m := block(150, 170, want)
			mean, sd, valid := mustSWE(t, quiet(s), m, s.PlainExam(1), wholeBox(m)).readWithin(everywhere)
			t.Logf("%s: %3.0f kPa reads %.2f ± %.2f kPa, %.0f %% valid", s.Name, want, mean, sd, 100*valid)
			if math.Abs(mean/float64(want)-1) > 0.05 || sd/mean > 0.03 || valid < 0.95 {
				t.Errorf("%s: %.0f kPa reads %.2f ± %.2f kPa over %.0f %% of the box", s.Name, want, mean, sd, 100*valid)
			}
		}
	}
}

func TestViscousTissueStillReadsItsApparentStiffness(t *testing.T) {
	s := EndFire()
	m := block(150, 170, 25)
	m.ViscosityPaS = slices.Repeat([]float32{1}, len(m.EKPa))
	mean, sd, _ := mustSWE(t, quiet(s), m, s.PlainExam(1), wholeBox(m)).readWithin(everywhere)
	t.Logf("25 kPa, 1 Pa s reads %.1f ± %.1f kPa", mean, sd)
	if math.Abs(mean/25-1) > 0.12 {
		t.Errorf("25 kPa with 1 Pa s reads %.1f kPa: the viscosity trap is open", mean)
	}
}

// TestPlaneShearWaveTravelsAtItsSpeed checks the solver alone against c = sqrt(mu/rho).
func TestPlaneShearWaveTravelsAtItsSpeed(t *testing.T) {
	for _, muKPa := range []float32{4, 9, 25} {
		const height, width, frames, at = 60, 140, 70, 30
		mu := slices.Repeat([]float32{muKPa}, height*width)
		force := make([]float32, height*width)
		for p := range force {
			u := (float64(p%width) - at) * shearStepMM / 1.5
			force[p] = float32(math.Exp(-u * u))
		}
		// A band of the whole height: a plane wave but for its ends.
		movie, err := newShearGrid(height, width, mu, nil).propagate(t.Context(), pushForce{dwellMs: 0.2, foci: [][]float32{force}}, frames, window{29, 0, 30, width})
		if err != nil {
			t.Fatal(err)
		}
		arrival := func(col int) float64 { // of the peak, by parabola, ms
			best := 1
			for f := range frames - 1 {
				if movie[f*width+col] > movie[best*width+col] {
					best = f
				}
			}
			a, b, c := float64(movie[(best-1)*width+col]), float64(movie[best*width+col]), float64(movie[(best+1)*width+col])
			return (float64(best) + 0.5*(a-c)/(a-2*b+c)) * frameMs
		}
		speed := 20 * shearStepMM / (arrival(at+40) - arrival(at+20))
		want := math.Sqrt(float64(muKPa) * 1e3 / densityKgM3)
		t.Logf("mu %.0f kPa: %.3f m/s, analytic %.3f", muKPa, speed, want)
		if math.Abs(speed/want-1) > 0.03 {
			t.Errorf("a shear wave in mu = %.0f kPa travels at %.3f m/s, analytically %.3f", muKPa, speed, want)
		}
	}
}

func TestContrastRecoveredRisesWithDiameter(t *testing.T) {
	s := quiet(EndFire())
	limits := map[float64][2]float64{5: {0.50, 0.75}, 10: {0.75, 0.95}, 20: {0.80, 1.05}}
	before := 0.0
	for _, d := range []float64{5, 10, 20} {
		m := block(200, 220, 25)
		m.disc(17, 0, d, func(i int) { m.EKPa[i] = 60 })
		e := mustSWE(t, s, m, s.PlainExam(1), wholeBox(m))
		core, _, _ := e.readWithin(func(z, x float64) bool { return math.Hypot(z-17, x) < 0.35*d })
		around, _, _ := e.readWithin(func(z, x float64) bool {
			r := math.Hypot(z-17, x)
			return r > d/2+3 && r < d/2+6
		})
		recovered := (core - around) / 35
		t.Logf("60 kPa disc of %.0f mm in 25 kPa: %.1f in %.1f kPa, %.0f %% of the contrast", d, core, around, 100*recovered)
		if recovered <= before || recovered < limits[d][0] || recovered > limits[d][1] {
			t.Errorf("%.0f mm disc recovers %.0f %% of its contrast, want %v and more than a smaller one", d, 100*recovered, limits[d])
		}
		before = recovered
		if d == 20 {
			edge := e.edgeWidthMM(17, 25, 60)
			t.Logf("edge of the 20 mm disc: %.1f mm from 10 to 90 %%", edge)
			if edge < 2 || edge > 4 {
				t.Errorf("edge is %.1f mm wide, want 2 to 4", edge)
			}
		}
	}
}

// TestElasticAndScalarWavesAgreeOnInclusions runs the same pushes through a scalar
// wave equation: in-plane compression and mode conversion must not decide the map.
func TestElasticAndScalarWavesAgreeOnInclusions(t *testing.T) {
	s := quiet(EndFire())
	m := block(180, 200, 25)
	m.disc(15, 0, 10, func(i int) { m.EKPa[i] = 60 })
	e := s.newElastography(m, s.PlainExam(1), wholeBox(m))
	var elastic, scalar []speedMap
	for k := range e.pushes {
		st := e.strip(k)
		a, _, err := e.push(t.Context(), k, "p")
		if err != nil {
			t.Fatal(err)
		}
		b, err := e.estimate(t.Context(), scalarWave(st.grid, e.force(st), e.frames), st, fmt.Sprintf("p/%d", k))
		if err != nil {
			t.Fatal(err)
		}
		elastic, scalar = append(elastic, a), append(scalar, b)
	}
	a, b := e.show(compound(elastic)), e.show(compound(scalar))
	var x, y []float64
	for i, v := range a.EKPa {
		z, lateral := m.point(i/m.Width, i%m.Width)
		if math.Hypot(z-15, lateral) < 12 && v == v && b.EKPa[i] == b.EKPa[i] {
			x, y = append(x, float64(v)), append(y, float64(b.EKPa[i]))
		}
	}
	r := correlation(x, y)
	t.Logf("elastic against scalar around a 10 mm disc: r = %.4f", r)
	if r < 0.98 {
		t.Errorf("elastic and scalar maps correlate %.4f, want 0.98", r)
	}
}

// scalarWave propagates axial motion alone, rho dv/dt = div(mu grad u), on the
// elastic grid and records what propagate would.
func scalarWave(g *shearGrid, push pushForce, frames int) []float32 {
	n, w := g.height*g.width, g.width
	v, sx, sz := make([]float32, n), make([]float32, n), make([]float32, n)
	damp := spongeProfile()
	stepMs := frameMs / float64(g.stepsPerFrame)
	rows, columns := g.height-2*spongeCells, g.width-2*spongeCells
	movie := make([]float32, 0, frames*rows*columns)
	for step := range frames * g.stepsPerFrame {
		if focus := int(float64(step) * stepMs / push.dwellMs); focus < len(push.foci) {
			for p, f := range push.foci[focus] {
				v[p] += f * float32(stepMs)
			}
		}
		for i := 1; i < g.height-1; i++ {
			for p := i*w + 1; p < i*w+w-1; p++ {
				v[p] += sx[p] - sx[p-1] + sz[p] - sz[p-w]
			}
		}
		g.absorb(v, damp)
		for i := 1; i < g.height-1; i++ {
			for p := i*w + 1; p < i*w+w-1; p++ {
				sx[p] += g.shearXZ[p] * (v[p+1] - v[p])
				sz[p] += g.shearXZ[p] * (v[p+w] - v[p])
			}
		}
		if step%g.stepsPerFrame == g.stepsPerFrame-1 {
			for i := spongeCells; i < spongeCells+rows; i++ {
				movie = append(movie, v[i*w+spongeCells:i*w+spongeCells+columns]...)
			}
		}
	}
	return movie
}

// edgeWidthMM is the 10 to 90 % width of the rise from outside to inside along a row,
// from the left to the middle.
func (e *Elastogram) edgeWidthMM(zMM, outside, inside float64) float64 {
	row := int(zMM / e.MMPerPx)
	var cross [2]float64
	for k, level := range [2]float64{0.1, 0.9} {
		target := outside + level*(inside-outside)
		for col := e.Box.Left + 10; col < e.Width/2; col++ {
			a, b := float64(e.EKPa[row*e.Width+col-1]), float64(e.EKPa[row*e.Width+col])
			if a < target && b >= target {
				cross[k] = float64(col-1) + (target-a)/(b-a)
			}
		}
	}
	return (cross[1] - cross[0]) * e.MMPerPx
}

func TestMapFadesWithDepthAndBehindStone(t *testing.T) {
	s := EndFire()
	m := block(256, 200, 25)
	e := mustSWE(t, s, m, s.PlainExam(3), wholeBox(m))
	valid := func(lo, hi float64) float64 {
		_, _, v := e.readWithin(func(z, _ float64) bool { return z >= lo && z < hi })
		return v
	}
	_, shallowSD, _ := e.readWithin(func(z, _ float64) bool { return z < 10 })
	_, deepSD, _ := e.readWithin(func(z, _ float64) bool { return z > 35 })
	t.Logf("valid: %.0f %% above 20 mm, %.0f %% at 20-30, %.0f %% at 30-37, %.0f %% below; SD %.2f shallow, %.2f kPa deep",
		100*valid(0, 20), 100*valid(20, 30), 100*valid(30, 37), 100*valid(37, 99), shallowSD, deepSD)
	if valid(0, 20) < 0.95 || valid(30, 37) > 0.95*valid(20, 30) || valid(37, 99) > 0.4*valid(20, 30) || deepSD < 2*shallowSD {
		t.Errorf("valid %.2f above 20 mm (want 0.95), %.2f at 20-30 mm, %.2f at 30-37 and %.2f below (want a fall past 30 mm); SD %.2f and %.2f kPa",
			valid(0, 20), valid(20, 30), valid(30, 37), valid(37, 99), shallowSD, deepSD)
	}
	m.Calcification = make([]bool, len(m.EKPa))
	m.disc(12, 5, 3, func(i int) { m.AttenDBCmMHz[i], m.EKPa[i], m.Calcification[i] = 20, 200, true })
	e = mustSWE(t, s, m, s.PlainExam(3), wholeBox(m))
	_, _, behind := e.readWithin(func(z, x float64) bool { // along the beam
		return z > 15 && z < 25 && math.Abs(x-5*(z+s.RadiusMM)/(12+s.RadiusMM)) < 0.7
	})
	_, _, beside := e.readWithin(func(z, x float64) bool { return z > 15 && z < 25 && x < -1 })
	t.Logf("%.0f %% valid in a stone's shadow, %.0f %% beside it", 100*behind, 100*beside)
	if behind > 0.2 || beside < 0.9 {
		t.Errorf("%.0f %% valid in a stone's shadow and %.0f %% beside it", 100*behind, 100*beside)
	}
}

func TestFluidShowsNothingAndStiffTissueSaturates(t *testing.T) {
	s := EndFire()
	m := block(150, 170, 25)
	m.Fluid = make([]bool, len(m.EKPa))
	m.disc(14, -8, 6, func(i int) { m.Fluid[i], m.BackscatterDB[i] = true, -60 })
	m.disc(14, 7, 10, func(i int) { m.EKPa[i] = 130 })
	e := mustSWE(t, s, m, s.PlainExam(1), wholeBox(m))
	if _, _, valid := e.readWithin(func(z, x float64) bool { return math.Hypot(z-14, x+8) < 2.5 }); valid > 0 {
		t.Errorf("%.0f %% of a cyst shows a stiffness", 100*valid)
	}
	for i, v := range e.EKPa {
		switch {
		case math.IsNaN(float64(v)) && (e.Saturated[i] || e.Confidence[i] != 0):
			t.Fatal("an empty pixel is saturated or has confidence")
		case float64(v) > s.ScaleMaxKPa || e.Saturated[i] != (float64(v) == s.ScaleMaxKPa):
			t.Fatalf("pixel %d shows %g kPa, saturated %v, on a scale of %g", i, v, e.Saturated[i], s.ScaleMaxKPa)
		case !(e.Confidence[i] >= 0 && e.Confidence[i] <= 1):
			t.Fatalf("confidence %g", e.Confidence[i])
		}
	}
	p := int(14/m.MMPerPx)*m.Width + m.Width/2 + int(7/m.MMPerPx)
	if !e.Saturated[p] {
		t.Errorf("the middle of a 130 kPa disc shows %g kPa, want saturation at %g", e.EKPa[p], s.ScaleMaxKPa)
	}
	if !math.IsNaN(float64(e.EKPa[0])) {
		t.Error("a pixel outside the box has a stiffness")
	}
}

func TestSWEIsTheSameForAnyNumberOfWorkersAndSharesNoStreamWithEcho(t *testing.T) {
	s := EndFire()
	m := block(110, 130, 25)
	ex := s.Exam(5)
	bits := func(m *Medium, ex Exam, plane string) string {
		e, err := s.SWE(t.Context(), m, ex, wholeBox(m), plane)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(e.EKPa)
	}
	reference := bits(m, ex, "mid")
	for _, n := range []int{1, 3} {
		before := runtime.GOMAXPROCS(n)
		again := bits(m, ex, "mid")
		runtime.GOMAXPROCS(before)
		if again != reference {
			t.Errorf("%d workers gave another map", n)
		}
	}
	if bits(m, ex, "base") == reference {
		t.Error("another plane has the same noise")
	}
	// Speckle clusters belong to the echo alone.
	clustered := *m
	clustered.ClusterShape = slices.Repeat([]float32{0.8}, len(m.EKPa))
	if bits(&clustered, ex, "mid") != reference {
		t.Error("the stiffness map changed with the speckle's clusters")
	}
}

func TestSWERefusesWhatItCannotDoAndStopsWhenCancelled(t *testing.T) {
	m := block(110, 130, 25)
	if _, err := Portable().SWE(t.Context(), m, Portable().PlainExam(1), wholeBox(m), "p"); !errors.Is(err, ErrNoSWE) {
		t.Errorf("a scanner without SWE: got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := EndFire().SWE(ctx, m, EndFire().PlainExam(1), wholeBox(m), "p"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
}
