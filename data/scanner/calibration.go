package scanner

import "math"

const (
	// softestKPa stands for fluid, in which the elastic model needs some stiffness.
	softestKPa = 1.0
	// stiffestKPa keeps stones within what the time step can carry.
	stiffestKPa = 400.0
	// pushAcceleration is the velocity gained per millisecond at the middle of a push
	// focus, chosen so that the wave 5 mm beside a push in 25 kPa tissue peaks at 1:
	// tracking noise is in units of that peak.
	pushAcceleration = 25.0
)

// elasticShearKPa is the shear modulus to simulate so that a homogeneous block reads
// the apparent Young's modulus.
func elasticShearKPa(apparentKPa, viscosityPaS float64) float64 {
	return min(max(apparentKPa, softestKPa), stiffestKPa) / 3
}

// apparentKPa is what the scanner shows for a speed in m/s: E = 3 rho c^2.
func apparentKPa(speedMS float64) float64 {
	return 3 * densityKgM3 * speedMS * speedMS / 1e3
}

// smoothedDeviation is the standard deviation that unit white noise keeps under
// smooth with this sigma.
func smoothedDeviation(sigma float64) float32 {
	radius := int(math.Ceil(3 * sigma))
	var sum, square float64
	for i := -radius; i <= radius; i++ {
		w := math.Exp(-float64(i*i) / (2 * sigma * sigma))
		sum += w
		square += w * w
	}
	return float32(square / (sum * sum)) // both directions
}
