import { problems, type ProblemCode } from '../../../../domain/errors.ts';
import { defineTexts } from './texts.ts';

type Told = readonly [sentence: string, whatToDo: string];

/** Every refusal of the API by its code: what happened with what was not affected, and what to do. English is the API's own. */
export const problemTexts = defineTexts<Readonly<Record<ProblemCode, Told>>>({
  en: problems,
  'pt-PT': {
    invalid_request: ['O pedido não é válido.', 'Corrija o que está assinalado e envie de novo.'],
    unsupported_media_type: [
      'Aqui só é aceite JSON.',
      'Abra de novo esta página e tente outra vez.',
    ],
    headers_too_large: [
      'O endereço ou os cabeçalhos do pedido são demasiado grandes.',
      'Envie menos de cada vez.',
    ],
    request_timeout: [
      'O pedido não chegou a tempo. Nada foi feito.',
      'Envie-o de novo, de uma só vez.',
    ],
    body_too_large: ['O pedido é demasiado grande.', 'Envie menos de cada vez.'],
    cross_site_request: [
      'Este pedido veio de outro sítio e não foi executado.',
      'Abra o backoffice e tente outra vez.',
    ],
    session_required: [
      'Não tem sessão iniciada, ou a sua sessão terminou.',
      'Inicie sessão e continue onde estava.',
    ],
    sign_in_refused: [
      'O endereço de e-mail e a palavra-passe não correspondem.',
      'Verifique ambos e tente outra vez, ou escolha uma nova: "Esqueceu-se da palavra-passe?"',
    ],
    role_required: ['O seu papel nesta conta não o permite.', 'Peça a um administrador da conta.'],
    invitation_ended: [
      'Este convite já foi usado, substituído ou terminou.',
      'Peça um novo a um administrador da conta, ou inicie sessão se já tiver palavra-passe.',
    ],
    invitation_not_needed: [
      'Este operador já tem palavra-passe.',
      'Inicia sessão com o seu endereço de e-mail e essa palavra-passe.',
    ],
    password_reset_ended: [
      'Esta ligação para escolher uma nova palavra-passe já foi usada ou terminou. A palavra-passe está como estava.',
      'Peça uma nova ligação em "Esqueceu-se da palavra-passe?", no início de sessão.',
    ],
    present_password_wrong: [
      'A palavra-passe atual não está certa. A palavra-passe está como estava.',
      'Escreva a palavra-passe com que inicia sessão agora.',
    ],
    last_admin: [
      'A conta ficaria sem administrador. Nada foi alterado.',
      'Primeiro, torne outra pessoa administradora.',
    ],
    not_found: ['Aqui não há nada que possa ver.', 'Verifique o endereço, ou volte à lista.'],
    method_not_allowed: ['Isto não pode ser feito aqui.', 'Volte à lista.'],
    too_many_requests: ['Demasiados pedidos em pouco tempo.', 'Espere um pouco e tente outra vez.'],
    certificate_ended: [
      'O próprio certificado terminou, por isso o acesso não pode ser renovado.',
      'Substitua o certificado por um novo.',
    ],
    renewal_already_open: [
      'Um colega já está a renovar o acesso a este certificado.',
      'Espere pelo colega, ou assuma a renovação.',
    ],
    renewal_authorizing: [
      'A CA está a ser consultada neste momento.',
      'Espere uns segundos e veja de novo.',
    ],
    renewal_not_yours: [
      'Esta renovação foi iniciada por outra pessoa.',
      'Inicie sessão como essa pessoa, ou assuma a renovação a partir do certificado.',
    ],
    renewal_ended: [
      'Esta renovação terminou.',
      'Veja o seu resultado e, se for preciso, comece de novo a partir do certificado.',
    ],
    renewal_not_awaiting_code: [
      'Esta renovação não espera agora por um PIN ou código.',
      'Veja o estado da renovação.',
    ],
    code_window_closed: [
      'Os dois minutos deste código passaram. A CA não foi consultada.',
      'Peça um novo código.',
    ],
    resend_too_soon: [
      'Foi enviado um código há momentos.',
      'Use o código mais recente, ou espere antes de pedir outro.',
    ],
    factor_missing: [
      'A CA pede mais do que foi escrito.',
      'Preencha todos os campos obrigatórios.',
    ],
    factor_rejected: [
      'A CA não aceitou o PIN ou o código. O acesso está como estava.',
      'Verifique o PIN e use o código mais recente.',
    ],
    factor_locked: [
      'A CA bloqueou o PIN ou o código deste certificado. O acesso está como estava.',
      'Desbloqueie-o junto da CA e comece a renovação de novo.',
    ],
    ca_unreachable: [
      'De momento não é possível contactar a CA. Nada foi alterado.',
      'Tente de novo dentro de alguns minutos.',
    ],
    ca_refused: [
      'A CA recusou. O acesso está como estava.',
      'Comece a renovação de novo; se for outra vez recusada, pergunte à CA.',
    ],
    ca_misconfigured: [
      'A CA não aceita esta plataforma como cliente. Nada foi alterado.',
      'Avise os engenheiros da plataforma.',
    ],
    ca_session_ended: [
      'A sessão na CA terminou. O acesso está como estava.',
      'Comece a renovação de novo.',
    ],
    outcome_unknown: [
      'A CA foi consultada, mas a resposta não chegou, por isso não se sabe se aceitou. O acesso aqui registado está como estava.',
      'Comece a renovação de novo.',
    ],
    access_blocked: [
      'De momento não se pode assinar com o certificado, por isso nenhum serviço pode ser ativado nele.',
      'Primeiro renove o acesso, depois ative os serviços.',
    ],
    client_service_inactive: [
      'O serviço de cliente não está ativo.',
      'Ative-o no certificado, ou assine com outro serviço.',
    ],
    client_service_suspended: [
      'O serviço de cliente foi suspenso porque o acesso ao certificado terminou.',
      'Renove o acesso e depois ative o serviço manualmente.',
    ],
    no_grant: ['Não há acesso sobre o qual agir.', 'Primeiro renove o acesso.'],
    may_not_sign: [
      'De momento não se pode assinar com o certificado.',
      'Um operador tem de renovar o acesso.',
    ],
    api_key_refused: [
      'A chave de API falta, é desconhecida ou foi revogada.',
      'Envie uma chave válida.',
    ],
    picture_stale: [
      'O gate não conhece o estado presente e por isso não dá permissão.',
      'Tente de novo dentro de alguns segundos.',
    ],
    already_exists: ['Já existe um com este nome.', 'Escolha outro nome, ou use o que existe.'],
    unavailable: [
      'O serviço não pode responder agora. Nada foi alterado.',
      'Tente de novo dentro de alguns segundos.',
    ],
    internal: [
      'Algo correu mal do nosso lado.',
      'Tente de novo; se voltar a acontecer, dê a referência aos engenheiros da plataforma.',
    ],
  },
});
