// Hair lets light through where its texture is transparent and where the fringe is cut.
in vec2 texel;
in vec3 base;

uniform sampler2D colour_map;
uniform int cut;
uniform vec2 fringe;

void main() {
    if (cut > 0) {
        bool below_the_fringe = fringe.y > .5 && base.z > .75
                                && base.y < fringe.x + .05 - 2. * smoothstep(.40, .66, abs(base.x));
        if (texture(colour_map, texel).a < .45 || below_the_fringe)
            discard;
    }
}
