import { useQuery } from '@tanstack/react-query';
import { certificateQuery } from '../../api/queries.ts';
import { Loaded } from '../../app/loaded.tsx';
import { Title } from '../../app/title.tsx';
import { Timeline } from './timeline.tsx';
import { Recipients } from './recipients.tsx';

export function CertificateScreen({ certificateId }: { readonly certificateId: string }) {
  const query = useQuery(certificateQuery(certificateId));
  return (
    <Loaded query={query}>
      {(certificate) => (
        <>
          <Title>{certificate.alias}</Title>
          <Timeline certificateId={certificateId} timeZone={certificate.account.timeZone} />
          <Recipients certificateId={certificateId} timeZone={certificate.account.timeZone} />
        </>
      )}
    </Loaded>
  );
}
