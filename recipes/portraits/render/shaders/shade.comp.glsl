// Shades every sample of a pixel with a quarter of the lights, averages them, and lets them vote for the label.
layout(local_size_x = 8, local_size_y = 8) in;
layout(rgba32f, binding = 0) writeonly uniform image2D picture;
layout(r32f, binding = 1) writeonly uniform image2D parts;

uniform sampler2D g_place, g_normal, g_albedo, g_strand;
uniform sampler2DShadow shadows;
uniform mat4 light_matrix[LIGHTS];
uniform vec3 light_direction[LIGHTS];
uniform vec3 light_colour[LIGHTS];
uniform vec3 eye;
uniform vec3 from_above, from_below;
uniform float wrap;

float hash(vec3 p) {
    p = fract(p * vec3(443.897, 441.423, 437.195));
    p += dot(p, p.yzx + 19.19);
    return fract((p.x + p.y) * p.z);
}

float ggx(vec3 n, vec3 v, vec3 l, float a) {
    vec3 h = normalize(v + l);
    float nh = max(dot(n, h), 0.), nl = max(dot(n, l), 0.), nv = max(dot(n, v), .05);
    float a2 = a * a;
    float d = nh * nh * (a2 - 1.) + 1.;
    float D = a2 / (3.1416 * d * d);
    float k = a * .5;
    float G = 1. / ((nl * (1. - k) + k) * (nv * (1. - k) + k));
    float F = .04 + .96 * pow(1. - max(dot(h, v), 0.), 5.);
    return min(D * G * F * .25 * nl, 6.);
}

// Share of a light that reaches a point: two jittered reads of its tile of the shadow atlas.
float lit(vec3 world, vec3 n, ivec2 s, int i) {
    vec4 w = light_matrix[i] * vec4(world + n * .03, 1.);
    vec3 t = w.xyz * .5 + .5;
    float d = 0.;
    for (int k = 0; k < 2; k++) {
        float jx = hash(vec3(vec2(s), float(i) + float(k) * 31.));
        float jy = hash(vec3(vec2(s.yx), float(i) * 1.7 + float(k) * 17.));
        vec2 o = (vec2(jx, jy) - .5) * .014;
        vec2 uv = clamp(t.xy + o, .002, .998);
        d += texture(shadows, vec3((uv + vec2(i % COLUMNS, i / COLUMNS)) / vec2(COLUMNS, ROWS), t.z - .0032));
    }
    return d * .5;
}

void main() {
    ivec2 q = ivec2(gl_GlobalInvocationID.xy);
    vec3 sum = vec3(0);
    float coverage = 0.;
    float votes[16];
    for (int i = 0; i < 16; i++)
        votes[i] = 0.;

    for (int sy = 0; sy < SAMPLES; sy++)
        for (int sx = 0; sx < SAMPLES; sx++) {
            ivec2 s = q * SAMPLES + ivec2(sx, sy);
            vec4 place = texelFetch(g_place, s, 0);
            if (place.w < .1) {
                votes[0] += 1.;
                continue;
            }
            int id = int(place.w), kind = id / 32, part = id & 31;
            vec3 world = place.xyz;
            vec4 b1 = texelFetch(g_normal, s, 0), b2 = texelFetch(g_albedo, s, 0);
            vec3 n = normalize(b1.xyz), v = normalize(eye - world);
            vec3 strand = vec3(0);
            bool fibres = kind == HAIR || kind == SHELL;
            if (fibres)
                strand = texelFetch(g_strand, s, 0).xyz;
            // brows are thin and would lose every vote
            if (part < 16)
                votes[part] += (part == PART_LEFT_BROW || part == PART_RIGHT_BROW) ? 2.2 : 1.;
            vec3 albedo = b2.rgb;
            float rough = b1.w, specular = b2.w;
            coverage += 1.;
            // light wraps around skin (reddest) and hair
            vec3 around = kind == SKIN ? vec3(.38, .14, .07) * wrap : vec3(fibres ? .35 : 0.);
            float open = part == PART_MOUTH ? (kind == SKIN ? .25 : 1.5) : 1.;
            vec3 colour = albedo * mix(from_below, from_above, n.y * .5 + .5) * open;
            int quarter = (sx + 2 * sy) & 3;
            vec3 direct = vec3(0);
            for (int j = 0; j < LIGHTS / 4; j++) {
                int i = j * 4 + quarter;
                float d = lit(world, n, s, i);
                vec3 l = light_direction[i];
                float nl = dot(n, l);
                vec3 diffuse = max((vec3(nl) + around) / (1. + around), 0.) / (1. + around);
                vec3 visible = kind == SKIN ? pow(vec3(d), vec3(.7, 1., 1.1)) : vec3(d);
                if (kind == EYE)
                    visible = vec3(.25 + .75 * d);
                vec3 r = albedo * diffuse;
                if (kind == SKIN)
                    r += specular * (.65 * ggx(n, v, l, rough * rough) + .35 * ggx(n, v, l, rough * rough * .35));
                else
                    r += specular * ggx(n, v, l, rough * rough);
                if (fibres) {
                    // two highlights along the strands, one of the hair's own colour
                    vec3 h = normalize(v + l);
                    vec3 t1 = normalize(strand + n * .12), t2 = normalize(strand - n * .10);
                    float a1 = dot(t1, h), a2 = dot(t2, h);
                    float facing = clamp(nl * 1.2 + .35, 0., 1.);
                    float k1 = pow(sqrt(max(0., 1. - a1 * a1)), 130.);
                    float k2 = pow(sqrt(max(0., 1. - a2 * a2)), 28.);
                    r += specular * facing * (.10 * k1 + .9 * albedo * k2);
                }
                direct += light_colour[i] * visible * r;
            }
            colour = min(colour + direct * 4., vec3(8));
            if (!(colour.x >= 0. && colour.y >= 0. && colour.z >= 0.))
                colour = albedo * .3;
            sum += colour;
        }

    float count = float(SAMPLES * SAMPLES);
    int best = 0;
    float most = votes[0];
    for (int i = 1; i < 16; i++)
        if (votes[i] > most) {
            most = votes[i];
            best = i;
        }
    imageStore(picture, q, vec4(sum / count, coverage / count));
    imageStore(parts, q, vec4(float(best)));
}
