// Material of every visible sample, written to a geometry buffer for shade.comp.glsl.
in vec3 world;
in vec3 smooth_normal;
in vec3 strand;
in vec2 texel;
in vec3 base;
in float height;

layout(location = 0) out vec4 out_place;    // position, kind * 32 + label
layout(location = 1) out vec4 out_normal;   // normal, roughness
layout(location = 2) out vec4 out_albedo;   // albedo, specular
layout(location = 3) out vec4 out_strand;

uniform sampler2D colour_map;
uniform sampler2D zones1; // scalp, beard, moustache, cheeks
uniform sampler2D zones2; // freckles, eye shadow, lips
uniform sampler2D label_map;

uniform vec3 eye;
uniform vec3 centre; // of the head
uniform int kind;
uniform int label;
uniform vec3 tint;
uniform vec3 tint2;
uniform vec3 mean_colour;
uniform float roughness;
uniform float specular;
uniform float alpha_gain;
uniform vec4 skin_cover; // hair colour on the scalp, stubble, blush, freckles
uniform vec4 skin_paint; // lip colour, eye shadow, baldness, detail
uniform vec3 lip_colour;
uniform vec3 shadow_colour;
uniform vec3 hair_colour;
uniform vec4 pattern;  // number, frequency, detail, mean luminance
uniform vec2 gradient; // height of the hair's roots, 1 / length
uniform vec2 fringe;   // height below which hair in front of the face is cut, on or off
uniform vec4 fur;      // zone, density, frequency of the cells, random number

float hash(vec3 p) {
    p = fract(p * vec3(443.897, 441.423, 437.195));
    p += dot(p, p.yzx + 19.19);
    return fract((p.x + p.y) * p.z);
}

float noise(vec2 p) {
    vec2 i = floor(p), f = fract(p);
    f = f * f * (3. - 2. * f);
    return mix(mix(hash(vec3(i, 1)), hash(vec3(i + vec2(1, 0), 1)), f.x),
               mix(hash(vec3(i + vec2(0, 1), 1)), hash(vec3(i + vec2(1, 1), 1)), f.x), f.y);
}

float fringe_edge(vec3 o, float raggedness) {
    return fringe.x - 2. * smoothstep(.40, .66, abs(o.x)) + .07 * raggedness;
}

void main() {
    vec4 painted = texture(colour_map, texel, kind == SKIN ? -.6 : -.8);
    float alpha = painted.a;
    vec3 albedo = pow(painted.rgb, vec3(2.2));
    vec3 view = normalize(eye - world);
    vec3 n = dot(smooth_normal, smooth_normal) > 1e-10 ? normalize(smooth_normal) : view;
    float gloss = specular, rough = roughness;
    int part = label;
    vec3 along = vec3(0, -1, 0);

    // Thin hair is transparent on average: each sample is kept with the probability of its alpha.
    if (kind >= HAIR && kind <= LASH) {
        vec3 key = vec3(gl_FragCoord.xy * .37, floor(base.x * 97.) + floor(base.y * 83.) * .1);
        if (alpha * alpha_gain < .02 + .96 * hash(key))
            discard;
    }
    if (kind == HAIR && fringe.y > .5 && base.z > .75
        && base.y < fringe_edge(base, noise(vec2(base.x * 60., 1.)) + .4 * noise(vec2(base.x * 9., 4.))))
        discard;

    vec3 dx = dFdx(world), dy = dFdy(world);
    vec2 tx = dFdx(texel), ty = dFdy(texel);
    float det = tx.x * ty.y - tx.y * ty.x;

    if (kind == SKIN) {
        vec4 z1 = texture(zones1, texel), z2 = texture(zones2, texel);

        // The painted skin's brightness as a bump map.
        float l0 = dot(painted.rgb, vec3(.33));
        vec2 e = vec2(1. / 1024., 0.);
        float l1 = dot(texture(colour_map, texel + e.xy).rgb, vec3(.33));
        float l2 = dot(texture(colour_map, texel + e.yx).rgb, vec3(.33));
        vec3 ta = (dx * ty.y - dy * tx.y) * sign(det), bt = (dy * tx.x - dx * ty.x) * sign(det);
        if (length(ta) > 1e-12 && length(bt) > 1e-12)
            n = normalize(n - .9 * skin_paint.w * ((l1 - l0) * normalize(ta) + (l2 - l0) * normalize(bt)));

        part = int(texture(label_map, texel).r * 255. + .5);
        albedo *= tint;
        float shade = dot(albedo, vec3(.33)) / max(dot(mean_colour * tint, vec3(.33)), 1e-3);
        vec3 mean = mean_colour * tint;
        if (part == PART_MOUTH) {
            albedo = vec3(.28, .06, .05) * .6;
            gloss *= .6;
        } else {
            // hair painted on the scalp is taken off, then the hairline's own colour put on
            albedo = mix(albedo, mean * clamp(.75 + .25 * shade, .6, 1.15), z1.r * skin_paint.z);
            float speckle = .88 + .24 * hash(vec3(floor(texel * 1500.), 3.));
            albedo = mix(albedo, hair_colour * .8, clamp(z1.r * skin_cover.x * speckle, 0., .97));
            // stubble
            float stubble = hash(vec3(floor(texel * 1100.), 5.));
            albedo = mix(albedo, mix(albedo, hair_colour, .75),
                         clamp(z1.g * skin_cover.y * (.5 + .9 * stubble), 0., .9));
            // blush
            albedo *= mix(vec3(1), vec3(1.06, .80, .80), z1.a * skin_cover.z);
            // freckles
            float freckle = smoothstep(.68, .85, noise(texel * 480.))
                            + .6 * smoothstep(.72, .9, noise(texel * 300. + 7.));
            albedo *= mix(vec3(1), vec3(.74, .60, .50), clamp(freckle * z2.r * skin_cover.w, 0., 1.) * .75);
            // eye shadow and lips
            albedo = mix(albedo, shadow_colour * clamp(shade, .6, 1.3), z2.g * skin_paint.y);
            albedo = mix(albedo, lip_colour * clamp(.35 + .65 * shade * 1.5, .5, 1.5), z2.b * skin_paint.x);
            if (z2.b > .5) {
                rough = mix(rough, .32, z2.b);
                gloss *= 1.3;
            }
        }
        if (part == PART_HAIR)
            part = skin_cover.x > .35 ? PART_HAIR : PART_SKIN;
    } else if (kind == HAIR) {
        float strands = dot(albedo, vec3(.3, .6, .1)) / max(pattern.w, .01);
        float t = clamp((gradient.x - base.y) * gradient.y, 0., 1.);
        float streaks = .8 + .4 * noise(vec2(texel.x * 140., texel.y * 6.));
        albedo = mix(tint, tint2, t * t) * clamp(.35 + .65 * pow(strands, .7), .2, 1.9) * streaks;
        along = length(strand) > 1e-6 ? normalize(strand) : vec3(0, -1, 0);
        vec3 outward = normalize(world - centre);
        if (dot(n, view) < 0.)
            n = -n;
        n = normalize(n + outward * .9);
    } else if (kind == BROW || kind == LASH) {
        albedo = tint;
        n = dot(n, view) < 0. ? -n : n;
    } else if (kind == CLOTH) {
        float luminance = dot(albedo, vec3(.3, .6, .1));
        float folds = clamp(luminance / pattern.w, .25, 1.7);
        int number = int(pattern.x + .5);
        if (number == 0) {
            albedo *= tint;
        } else {
            float k = 0.;
            float f = pattern.y;
            vec2 q = base.xy;
            if (number == 2)
                k = step(.5, fract(base.y * f));
            else if (number == 3)
                k = step(.5, fract(base.x * f));
            else if (number == 4) {
                float a = step(.55, fract(base.x * f)), b = step(.55, fract(base.y * f));
                k = (a + b) * .5;
            } else if (number == 5) {
                vec2 d = fract(q * f + vec2(.5 * mod(floor(base.y * f), 2.), 0.)) - .5;
                k = 1. - smoothstep(.22, .26, length(d));
            } else if (number == 6)
                k = smoothstep(.45, .55, noise(q * f * 1.7));
            else if (number == 7)
                k = smoothstep(4.9, 5.8, base.y);
            else if (number == 8)
                k = step(abs(base.y - 5.15), .16);
            albedo = mix(tint, tint2, k) * mix(1., folds, pattern.z);
        }
        if (dot(n, view) < 0.)
            n = -n;
    } else if (kind == EYE) {
        float side = base.x > 0. ? 1. : -1.;
        vec3 d = normalize(base - vec3(.30775 * side, 7.28415, 1.24535));
        float iris = smoothstep(.80, .86, d.z);
        part = base.x > 0. ? PART_LEFT_EYE : PART_RIGHT_EYE;
        albedo = mix(albedo * vec3(.80, .76, .74), albedo * tint, iris);
    } else if (kind == SHELL) {
        vec4 z1 = texture(zones1, texel);
        float zone = fur.x < .5 ? z1.r : (fur.x < 1.5 ? z1.g : (fur.x < 2.5 ? z1.b : max(0., z1.g - z1.b)));
        vec2 cell = texel * fur.z;
        float random = hash(vec3(floor(cell), fur.w));
        vec2 from_centre = fract(cell) - .5;
        zone = smoothstep(.12, .75, zone * (.55 + .9 * noise(texel * 60. + fur.w))) * fur.y;
        float keep = zone * (.3 + .7 * random);
        if (zone < .05 || keep < height * .95 || (height > .35 && length(from_centre) > .75 - .3 * height))
            discard;
        albedo = mix(tint, tint2, height) * (.75 + .35 * random) * (.5 + .5 * height);
        along = normalize(n + vec3(0, -.8, 0));
    } else if (kind == METAL) {
        albedo = tint;
        if (dot(n, view) < 0.)
            n = -n;
    } else {
        albedo *= tint;
        if (dot(n, view) < 0.)
            n = -n;
    }

    // Skin seen at a grazing angle may have a smooth normal that points away: reflect it.
    if (kind == SKIN || kind == SHELL) {
        if (dot(n, view) < 0. && kind == SKIN && part != PART_MOUTH)
            n = normalize(n - 2. * dot(n, view) * view);
    }
    out_place = vec4(world, float(kind) * 32. + float(part) + .25);
    out_normal = vec4(n, rough);
    out_albedo = vec4(clamp(albedo, 0., 1.), gloss);
    out_strand = vec4(along, 0.);
}
